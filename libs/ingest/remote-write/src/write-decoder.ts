import { isStaleMarker, type KindName, type MetricChange } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { type LabelTable, UNKNOWN } from '@tidemark/series-memory';
import { readMetadata } from './read-metadata.ts';
import type { RemoteWriteLimits } from './remote-write-limits.ts';
import { isProblem, readLabels } from './series-labels.ts';
import { WireReader } from './wire-reader.ts';
import type { WriteBody } from './write-body.ts';
import { malformed, tooManySamples } from './write-error.ts';

/** Receiver of the series of a request, such as a request of the intake. */
export interface SeriesSink {
  /** Returns the handle of a series, also of a refused one. */
  series(series: { readonly metric: string; readonly kind: KindName; readonly tags: readonly string[] }): number;
  /** Returns true when the series is refused by its name. The caller does not store such a handle. */
  isRefused(handle: number): boolean;
  /** Takes what the metadata says of a metric, whether it has series or not. */
  describe(metric: string, change: MetricChange): void;
  /** Counts refused points, with an example of them. */
  reject(reason: string, field: string, limit: string, points: number, example?: string): void;
  /** Counts data that is left out by design: it is valid, but has no place in the platform. With an example. */
  leaveOut(reason: string, count: number, example?: string): void;
}

/** Samples as parallel arrays, valid as long as the body from which they were decoded. */
export interface Samples {
  readonly handles: Uint32Array;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly length: number;
}

type LeftOutReason = 'value_nan' | 'exemplar' | 'native_histogram';

/** First bytes of fields: field number and wire type. */
const REQUEST_SERIES = 0x0a;
const REQUEST_METADATA = 0x1a;
const SERIES_LABEL = 0x0a;
const SERIES_SAMPLE = 0x12;
const SERIES_EXEMPLAR = 0x1a;
const SERIES_HISTOGRAM = 0x22;
const SAMPLE_VALUE = 0x09;
const SAMPLE_TIME = 0x10;
const NO_HANDLE = 0xffff_ffff;

/**
 * Decodes WriteRequests of Prometheus remote write 1.0 directly from the bytes. Compiled code reads series while they
 * are those of the last request in the same order, with plain samples. This class reads all others, and anything
 * malformed. One decoder is enough for all requests, since it keeps no state between them.
 */
export class WriteDecoder {
  readonly #limits: RemoteWriteLimits;
  readonly #reader = new WireReader();
  #handles = new Uint32Array(0);
  #timesMs = new Float64Array(0);
  #values = new Float64Array(0);
  #length = 0;
  /** True when the last scanned series has samples. */
  #hasSamples = false;
  #notNumbers = 0;
  #exemplars = 0;
  #histograms = 0;
  /** Start and end of the series of the first data of each reason. */
  readonly #firsts = new Map<LeftOutReason, [start: number, end: number]>();

  constructor(limits: RemoteWriteLimits) {
    this.#limits = limits;
  }

  /**
   * Decodes the samples of an uncompressed request. Known series come from `table`, whose memory the body shares, and
   * new ones from `sink`, which also receives the refused and left-out counts. Throws `invalid_argument`, and no part
   * of the request counts, when the request is malformed or has more samples than the body has columns for.
   */
  decode(body: WriteBody, table: LabelTable, sink: SeriesSink): Samples {
    const reader = this.#reader;
    reader.open(body.raw);
    ({ handles: this.#handles, timesMs: this.#timesMs, values: this.#values } = body);
    this.#length = 0;
    this.#notNumbers = this.#exemplars = this.#histograms = 0;
    this.#firsts.clear();
    table.begin();
    try {
      this.#request(body, table, sink);
      this.#report(sink);
      return { handles: this.#handles, timesMs: this.#timesMs, values: this.#values, length: this.#length };
    } finally {
      reader.close();
      this.#handles = new Uint32Array(0);
      this.#timesMs = this.#values = new Float64Array(0);
    }
  }

  #request(body: WriteBody, table: LabelTable, sink: SeriesSink): void {
    const reader = this.#reader;
    const end = body.raw.length;
    while (reader.position < end) {
      if (table.expected !== UNKNOWN) {
        reader.position = body.series(reader.position, table.last, this.#length);
        this.#length = body.samples;
        table.recordThrough(body.last);
        if (reader.position === end) return;
      }
      const tag = reader.varint(end);
      if (tag === REQUEST_SERIES) this.#series(reader.endOf(reader.varint(end), end), table, sink);
      else {
        if (tag === REQUEST_METADATA) this.#describe(reader.endOf(reader.varint(end), end), sink);
        else reader.skip(tag, end);
      }
    }
  }

  #describe(end: number, sink: SeriesSink): void {
    const reader = this.#reader;
    try {
      for (const { metric, change } of readMetadata(reader, end)) sink.describe(metric, change);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      // The samples of the request are good without it.
      sink.leaveOut('metadata', 1);
    }
    reader.position = end;
  }

  #report(sink: SeriesSink): void {
    const leaveOut = (reason: LeftOutReason, count: number): void => {
      if (count > 0) sink.leaveOut(reason, count, this.#example(reason));
    };
    leaveOut('value_nan', this.#notNumbers);
    leaveOut('exemplar', this.#exemplars);
    if (this.#histograms === 0) return;
    const example = this.#example('native_histogram');
    sink.reject('native_histogram', 'histograms', 'samples with a value', this.#histograms, example);
  }

  /** Remembers the series of the first data that is not stored, for each reason. */
  #rememberFirst(start: number, end: number): void {
    const remember = (reason: LeftOutReason): void => {
      if (!this.#firsts.has(reason)) this.#firsts.set(reason, [start, end]);
    };
    if (this.#notNumbers > 0) remember('value_nan');
    if (this.#exemplars > 0) remember('exemplar');
    if (this.#histograms > 0) remember('native_histogram');
  }

  /** Returns the metric of the first series with data that is not stored. */
  #example(reason: LeftOutReason): string | undefined {
    const [start, end] = this.#firsts.get(reason) ?? [0, 0];
    try {
      const labels = readLabels(this.#reader, start, end, this.#limits.labels);
      return isProblem(labels) ? undefined : labels.metric;
    } catch (error) {
      // The labels of a series without samples are not read otherwise, so they may be malformed.
      if (isTidemarkError(error)) return undefined;
      throw error;
    }
  }

  /** Reads a series that is found by its hash, or a new one. */
  #series(end: number, table: LabelTable, sink: SeriesSink): void {
    const reader = this.#reader;
    const start = reader.position;
    const length = this.#scan(start, end);
    if (!this.#hasSamples) {
      this.#fields(NO_HANDLE, start, end);
      this.#rememberFirst(start, end);
      return;
    }
    let entry = length === 0 ? UNKNOWN : table.find(reader.view, start, length);
    let handle = entry === UNKNOWN ? NO_HANDLE : table.handle(entry);
    if (entry === UNKNOWN) {
      const labels = readLabels(reader, start, end, this.#limits.labels);
      if (isProblem(labels)) {
        const before = this.#length;
        this.#fields(NO_HANDLE, start, end);
        const refused = this.#length - before;
        if (refused > 0) sink.reject(labels.reason, labels.field, labels.limit, refused);
        this.#length = before;
        table.record(UNKNOWN);
        return;
      }
      const { metric, tags } = labels;
      handle = sink.series({ metric, kind: 'reading', tags });
      if (length > 0 && !sink.isRefused(handle)) entry = table.add(reader.view, start, length, handle);
    }
    table.record(entry);
    this.#fields(handle, start, end);
    if (this.#notNumbers + this.#exemplars + this.#histograms > 0) this.#rememberFirst(start, end);
  }

  /**
   * Scans the fields of a series. Returns the number of bytes of the labels at the front, or 0 when labels also follow
   * later.
   */
  #scan(start: number, end: number): number {
    const reader = this.#reader;
    reader.position = start;
    this.#skipLabels(end);
    const labelsEnd = reader.position;
    this.#hasSamples = false;
    let isWhole = true;
    while (reader.position < end) {
      const tag = reader.varint(end);
      if (tag === SERIES_LABEL) isWhole = false;
      if (tag === SERIES_SAMPLE) this.#hasSamples = true;
      reader.skip(tag, end);
    }
    return isWhole ? labelsEnd - start : 0;
  }

  #skipLabels(end: number): void {
    const reader = this.#reader;
    while (reader.position < end && reader.bytes[reader.position] === SERIES_LABEL) {
      reader.position++;
      reader.position = reader.endOf(reader.varint(end), end);
    }
  }

  /** Reads all fields of a series except its labels. */
  #fields(handle: number, start: number, end: number): void {
    const reader = this.#reader;
    reader.position = start;
    while (reader.position < end) {
      const tag = reader.varint(end);
      if (tag === SERIES_SAMPLE) {
        this.#sample(handle, reader.endOf(reader.varint(end), end));
        continue;
      }
      if (tag === SERIES_EXEMPLAR) this.#exemplars++;
      else if (tag === SERIES_HISTOGRAM) this.#histograms++;
      reader.skip(tag, end);
    }
  }

  #sample(handle: number, end: number): void {
    const reader = this.#reader;
    const { bytes, view } = reader;
    let valueAt = -1;
    let timeMs = 0;
    while (reader.position < end) {
      const tag = bytes[reader.position];
      if (tag === SAMPLE_VALUE) {
        valueAt = reader.position + 1;
        reader.position = valueAt + 8;
        if (reader.position > end) throw malformed('protobuf', `incomplete value at byte ${valueAt}`);
      } else if (tag === SAMPLE_TIME) {
        reader.position++;
        timeMs = reader.int64(end);
      } else {
        reader.skip(reader.varint(end), end);
      }
    }
    // A value of zero and a time of zero are not encoded.
    const value = valueAt < 0 ? 0 : view.getFloat64(valueAt, true);
    if (Number.isNaN(value) && !isStaleMarker(value)) {
      this.#notNumbers++;
      return;
    }
    const at = this.#length;
    if (at === this.#handles.length) throw tooManySamples(at);
    this.#handles[at] = handle;
    this.#timesMs[at] = timeMs;
    this.#values[at] = value;
    this.#length = at + 1;
  }
}
