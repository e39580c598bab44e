import { utf8Text } from '@tidemark/bytes';
import { labelTag } from '@tidemark/model';
import type { WireReader } from './wire-reader.ts';

const NAME = '__name__';
const FIELD_LABEL = 0x0a;
const LABEL_NAME = 0x0a;
const LABEL_VALUE = 0x12;

/** Why the labels of a series are refused. */
export interface LabelProblem {
  readonly reason: 'labels_without_name' | 'label_name_empty' | 'label_repeated' | 'too_many_labels' | 'label_too_long';
  readonly field: string;
  readonly limit: string;
}

export interface SeriesLabels {
  readonly metric: string;
  /** `key:value` of each label except the name and those without a value, in the received order. */
  readonly tags: readonly string[];
}

/** Max bytes of one label. A tag that can be stored is much shorter. */
const LABEL_BYTES = 64 * 1024;

/**
 * Reads the labels of a TimeSeries, at any place in it. A label without a value counts as absent, as in Prometheus.
 * Behind a label for which the series is refused, no text is decoded. Malformed bytes throw.
 */
export class LabelReader {
  readonly #limit: number;
  readonly #names = new Set<string>();
  readonly #tags: string[] = [];
  #metric = '';
  #problem: LabelProblem | undefined;

  /** Reads up to `limit` labels. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Reads fields that begin before `stop`, of a series that ends at `to`. */
  read(reader: WireReader, stop: number, to: number): void {
    while (reader.position < stop) {
      const tag = reader.varint(to);
      if (tag === FIELD_LABEL) this.#label(reader, to);
      else reader.skip(tag, to);
    }
  }

  result(): SeriesLabels | LabelProblem {
    if (this.#problem !== undefined) return this.#problem;
    if (this.#metric === '') return { reason: 'labels_without_name', field: 'labels', limit: `a label ${NAME}` };
    return { metric: this.#metric, tags: this.#tags };
  }

  #label(reader: WireReader, to: number): void {
    const length = reader.varint(to);
    const end = reader.endOf(length, to);
    if (length > LABEL_BYTES) {
      reader.position = end;
      this.#problem ??= { reason: 'label_too_long', field: 'labels', limit: `${LABEL_BYTES} bytes of one label` };
      return;
    }
    if (this.#problem !== undefined) {
      while (reader.position < end) reader.skip(reader.varint(end), end);
      return;
    }
    const { name, value } = readLabel(reader, end);
    this.#problem = problemOf(name, this.#names, this.#limit);
    this.#names.add(name);
    if (name === NAME) this.#metric = value;
    else if (value !== '') this.#tags.push(labelTag(name, value));
  }
}

/** Reads the labels in [from, to) at once. */
export function readLabels(reader: WireReader, from: number, to: number, limit: number): SeriesLabels | LabelProblem {
  const labels = new LabelReader(limit);
  reader.position = from;
  labels.read(reader, to, to);
  return labels.result();
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
