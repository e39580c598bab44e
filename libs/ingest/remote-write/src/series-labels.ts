import { utf8Text } from '@tidemark/bytes';
import { labelTag } from '@tidemark/model';
import type { WireReader } from './wire-reader.ts';

const NAME = '__name__';
const FIELD_LABEL = 0x0a;
const LABEL_NAME = 0x0a;
const LABEL_VALUE = 0x12;

/** Why the labels of a series are refused. */
export interface LabelProblem {
  readonly reason: 'labels_without_name' | 'label_name_empty' | 'label_repeated' | 'too_many_labels';
  readonly field: string;
  readonly limit: string;
}

export interface SeriesLabels {
  readonly metric: string;
  /** `key:value` of each label except the name and those without a value, in the received order. */
  readonly tags: readonly string[];
}

/**
 * Reads the labels of the TimeSeries at [from, to), at any place in it. A label without a value counts as absent, as in
 * Prometheus. Malformed bytes throw.
 */
export function readLabels(reader: WireReader, from: number, to: number, limit: number): SeriesLabels | LabelProblem {
  const names = new Set<string>();
  const tags: string[] = [];
  let metric = '';
  let problem: LabelProblem | undefined;
  reader.position = from;
  while (reader.position < to) {
    const tag = reader.varint(to);
    if (tag !== FIELD_LABEL) {
      reader.skip(tag, to);
      continue;
    }
    const end = reader.endOf(reader.varint(to), to);
    const { name, value } = readLabel(reader, end);
    if (problem !== undefined) continue;
    problem = problemOf(name, names, limit);
    names.add(name);
    if (name === NAME) metric = value;
    else if (value !== '') tags.push(labelTag(name, value));
  }
  if (problem !== undefined) return problem;
  if (metric === '') return { reason: 'labels_without_name', field: 'labels', limit: `a label ${NAME}` };
  return { metric, tags };
}

/** Returns true when the series must be refused for its labels. */
export function isProblem(labels: SeriesLabels | LabelProblem): labels is LabelProblem {
  return 'reason' in labels;
}

function problemOf(name: string, names: ReadonlySet<string>, limit: number): LabelProblem | undefined {
  if (name === '') return { reason: 'label_name_empty', field: 'label.name', limit: 'at least 1 byte' };
  if (names.has(name)) return { reason: 'label_repeated', field: 'label.name', limit: 'each label name once' };
  if (names.size >= limit) return { reason: 'too_many_labels', field: 'labels', limit: `${limit} labels` };
  return undefined;
}

function readLabel(reader: WireReader, end: number): { name: string; value: string } {
  let name = '';
  let value = '';
  while (reader.position < end) {
    const tag = reader.varint(end);
    if (tag === LABEL_NAME) name = readText(reader, end);
    else if (tag === LABEL_VALUE) value = readText(reader, end);
    else reader.skip(tag, end);
  }
  return { name, value };
}

/** Reads UTF-8. Bytes that are not UTF-8 give a text that every name and tag is refused for. */
function readText(reader: WireReader, end: number): string {
  const from = reader.varint(end);
  const start = reader.position;
  reader.position = reader.endOf(from, end);
  return utf8Text(reader.bytes.subarray(start, reader.position));
}
