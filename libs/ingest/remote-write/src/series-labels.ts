import { utf8TextIn } from '@tidemark/bytes';
import { labelTag } from '@tidemark/model';
import type { Label, RecentLabels } from './recent-labels.ts';
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
  readonly #recent: RecentLabels;
  readonly #names: string[] = [];
  /** All names, once they are not in order. Most senders sort them, and then none is there twice. */
  #unsorted: Set<string> | undefined;
  readonly #tags: string[] = [];
  #metric = '';
  #problem: LabelProblem | undefined;

  /** Reads up to `limit` labels. `recent` has those of another series of the body, and gets these. */
  constructor(limit: number, recent: RecentLabels) {
    this.#limit = limit;
    this.#recent = recent;
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
    const { name, text } = this.#next(reader, end);
    this.#problem = this.#problemOf(name);
    this.#names.push(name);
    if (name === NAME) this.#metric = text;
    else if (text !== '') this.#tags.push(text);
  }

  #next(reader: WireReader, end: number): Label {
    const place = this.#names.length;
    const start = reader.position;
    let label = this.#recent.find(place, start, end);
    if (label === undefined) {
      label = readLabel(reader, end);
      this.#recent.note(place, start, end, label);
    }
    reader.position = end;
    return label;
  }

  #problemOf(name: string): LabelProblem | undefined {
    if (name === '') return { reason: 'label_name_empty', field: 'label.name', limit: 'at least 1 byte' };
    if (this.#isRepeated(name)) return { reason: 'label_repeated', field: 'label.name', limit: 'each label name once' };
    const limit = this.#limit;
    return this.#names.length >= limit
      ? { reason: 'too_many_labels', field: 'labels', limit: `${limit} labels` }
      : undefined;
  }

  #isRepeated(name: string): boolean {
    const names = this.#names;
    if (this.#unsorted === undefined && (names.length === 0 || name > names[names.length - 1])) return false;
    this.#unsorted ??= new Set(names);
    const isRepeated = this.#unsorted.has(name);
    this.#unsorted.add(name);
    return isRepeated;
  }
}

/** Reads the labels in [from, to) at once. */
export function readLabels(
  reader: WireReader,
  from: number,
  to: number,
  limit: number,
  recent: RecentLabels,
): SeriesLabels | LabelProblem {
  const labels = new LabelReader(limit, recent);
  reader.position = from;
  labels.read(reader, to, to);
  return labels.result();
}

/** Returns true when the series must be refused for its labels. */
export function isProblem(labels: SeriesLabels | LabelProblem): labels is LabelProblem {
  return 'reason' in labels;
}

function readLabel(reader: WireReader, end: number): Label {
  let name = '';
  let value = '';
  while (reader.position < end) {
    const tag = reader.varint(end);
    if (tag === LABEL_NAME) name = readText(reader, end);
    else if (tag === LABEL_VALUE) value = readText(reader, end);
    else reader.skip(tag, end);
  }
  return { name, text: name === NAME || value === '' ? value : labelTag(name, value) };
}

/** Reads UTF-8. Bytes that are not UTF-8 give a text that every name and tag is refused for. */
function readText(reader: WireReader, end: number): string {
  const from = reader.varint(end);
  const start = reader.position;
  reader.position = reader.endOf(from, end);
  return utf8TextIn(reader.bytes, start, reader.position);
}
