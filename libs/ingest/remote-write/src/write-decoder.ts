import { isStaleMarker, type KindName, type MetricChange } from '@tidemark/model';
import { isTidemarkError, type SlicedWork } from '@tidemark/ports';
import { type LabelTable, UNKNOWN } from '@tidemark/series-memory';
import { readMetadata } from './read-metadata.ts';
import { RecentLabels } from './recent-labels.ts';
import type { RemoteWriteLimits } from './remote-write-limits.ts';
import { isProblem, type LabelProblem, LabelReader, readLabels, type SeriesLabels } from './series-labels.ts';
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
const NOTHING = new Uint8Array(0);
/** Bytes after which decoding pauses: fields of two bytes take a few milliseconds. */
const SLICE_BYTES = 128 * 1024;
/** Costs in bytes of what takes longer than its bytes: a series that is named to the sink, and a metadata message. */
const NAMED_COST = 1024;
const METADATA_COST = 256;
/** Cost of a field, and of a byte that compiled code reads. */
const FIELD_COST = 8;
const COMPILED_COST = 1 / 8;
/** Max bytes of a sample, which has 20 at most, and of a metadata message. */
const SAMPLE_BYTES = 4096;
const METADATA_BYTES = 64 * 1024;
/** Max metadata messages of a request that are read. Prometheus sends a few hundred at a time. */
const METADATA_MESSAGES = 10_000;

/**
 * Decodes WriteRequests of Prometheus remote write 1.0 directly from the bytes. Compiled code reads series while they
 * are those of the last request in the same order, with plain samples. This class reads all others, and anything
 * malformed. One decoder is enough for all requests, since it keeps no state between them.
 */
export class WriteDecoder {
  readonly #limits: RemoteWriteLimits;
  readonly #reader = new WireReader();
  readonly #recent = new RecentLabels();
  readonly #sliceBytes: number;
  #handles = new Uint32Array(0);
  #timesMs = new Float64Array(0);
  #values = new Float64Array(0);
  #length = 0;
  /** What the scan of a series has found so far. */
  #isInFront = true;
  #frontEnd = 0;
  #isWhole = true;
  #hasSamples = false;
  #metadata = 0;
  #notNumbers = 0;
  #exemplars = 0;
  #histograms = 0;
  /** Start and end of the labels of the first series with data of each reason. */
  readonly #firsts = new Map<LeftOutReason, [start: number, end: number]>();

  /** `sliceBytes`: how much it decodes between two pauses. */
  constructor(limits: RemoteWriteLimits, sliceBytes = SLICE_BYTES) {
    this.#limits = limits;
    this.#sliceBytes = sliceBytes;
  }

  /**
   * Decodes the samples of an uncompressed request. Known series come from `table`, whose memory the body shares, and
   * new ones from `sink`, which also receives the refused and left-out counts. Throws `invalid_argument`, and no part
   * of the request counts, when the request is malformed or has more samples than the body has columns for. Yields
   * after each slice of some milliseconds, so that other work can have its turn; until the end the caller must not
   * decode another body with this decoder, `body` or `table`.
   */
  *decode(body: WriteBody, table: LabelTable, sink: SeriesSink): SlicedWork<Samples> {
    const reader = this.#reader;
    reader.open(body.raw);
    this.#recent.open(body.raw);
    ({ handles: this.#handles, timesMs: this.#timesMs, values: this.#values } = body);
    this.#length = 0;
    this.#notNumbers = this.#exemplars = this.#histograms = this.#metadata = 0;
    this.#firsts.clear();
    table.begin();
    try {
      yield* this.#request(body, table, sink);
      this.#report(sink);
      return { handles: this.#handles, timesMs: this.#timesMs, values: this.#values, length: this.#length };
    } finally {
      reader.close();
      this.#recent.open(NOTHING);
      this.#handles = new Uint32Array(0);
      this.#timesMs = this.#values = new Float64Array(0);
    }
  }

  *#request(body: WriteBody, table: LabelTable, sink: SeriesSink): SlicedWork<void> {
    const reader = this.#reader;
    const end = body.raw.length;
    let left = this.#sliceBytes;
    while (reader.position < end) {
      if (left <= 0) {
        yield;
        left = this.#sliceBytes;
      }
      if (table.expected !== UNKNOWN) {
        const from = reader.position;
        reader.position = body.series(from, table.last, this.#length);
        this.#length = body.samples;
        table.recordThrough(body.last);
        if (reader.position === end) return;
        left -= (reader.position - from) * COMPILED_COST;
      }
      const fieldStart = reader.position;
      const tag = reader.varint(end);
      if (tag !== REQUEST_SERIES && tag !== REQUEST_METADATA) {
        reader.skip(tag, end);
        left -= FIELD_COST + reader.position - fieldStart;
        continue;
      }
      const length = reader.varint(end);
      const fieldEnd = reader.endOf(length, end);
      left -= FIELD_COST + length;
      if (tag === REQUEST_METADATA) {
        this.#describe(length, fieldEnd, sink);
        left -= METADATA_COST;
      } else if (length <= this.#sliceBytes) {
        if (this.#series(fieldEnd, table, sink)) left -= NAMED_COST;
      } else {
        yield* this.#longSeries(fieldEnd, table, sink);
        left = this.#sliceBytes;
      }
    }
  }

  #describe(length: number, end: number, sink: SeriesSink): void {
    const reader = this.#reader;
    if (length > METADATA_BYTES || ++this.#metadata > METADATA_MESSAGES) {
      sink.leaveOut('metadata', 1);
      reader.position = end;
      return;
    }
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

  /** Remembers the series of the first data that is not stored, for each reason, by the labels at its front. */
  #rememberFirst(start: number): void {
    const remember = (reason: LeftOutReason): void => {
      if (!this.#firsts.has(reason)) this.#firsts.set(reason, [start, this.#frontEnd]);
    };
    if (this.#notNumbers > 0) remember('value_nan');
    if (this.#exemplars > 0) remember('exemplar');
    if (this.#histograms > 0) remember('native_histogram');
  }

  /** Returns the metric of the first series with data that is not stored. */
  #example(reason: LeftOutReason): string | undefined {
    const [start, end] = this.#firsts.get(reason) ?? [0, 0];
    try {
      const labels = readLabels(this.#reader, start, end, this.#limits.labels, this.#recent);
      return isProblem(labels) ? undefined : labels.metric;
    } catch (error) {
      // The labels of a series without samples are not read otherwise, so they may be malformed.
      if (isTidemarkError(error)) return undefined;
      throw error;
    }
  }

  /** Reads a series that is found by its hash, or a new one. Returns whether it was named to the sink. */
  #series(end: number, table: LabelTable, sink: SeriesSink): boolean {
    const reader = this.#reader;
    const start = reader.position;
    this.#beginScan(start);
    this.#scan(end, end);
    const entry = this.#entry(start, table);
    if (!this.#hasSamples || entry !== UNKNOWN) {
      const handle = this.#hasSamples ? table.handle(entry) : NO_HANDLE;
      if (this.#hasSamples) table.record(entry);
      reader.position = start;
      this.#fields(handle, end, end);
      this.#rememberFirst(start);
      return false;
    }
    const labels = readLabels(reader, start, this.#isWhole ? this.#frontEnd : end, this.#limits.labels, this.#recent);
    const before = this.#length;
    const handle = isProblem(labels) ? NO_HANDLE : this.#add(labels, start, table, sink);
    reader.position = start;
    this.#fields(handle, end, end);
    this.#rememberNamed(labels, before, start, table, sink);
    return true;
  }

  /** Reads a series as `#series` does, and pauses within it. */
  *#longSeries(end: number, table: LabelTable, sink: SeriesSink): SlicedWork<void> {
    const reader = this.#reader;
    const start = reader.position;
    this.#beginScan(start);
    yield* this.#sliced(end, (stop) => this.#scan(stop, end));
    const entry = this.#entry(start, table);
    const before = this.#length;
    let handle = entry === UNKNOWN ? NO_HANDLE : table.handle(entry);
    let labels: SeriesLabels | LabelProblem | undefined;
    if (this.#hasSamples && entry !== UNKNOWN) table.record(entry);
    if (this.#hasSamples && entry === UNKNOWN) {
      const labelReader = new LabelReader(this.#limits.labels, this.#recent);
      reader.position = start;
      const labelsEnd = this.#isWhole ? this.#frontEnd : end;
      yield* this.#sliced(labelsEnd, (stop) => labelReader.read(reader, stop, end));
      labels = labelReader.result();
      if (!isProblem(labels)) handle = this.#add(labels, start, table, sink);
    }
    reader.position = start;
    yield* this.#sliced(end, (stop) => this.#fields(handle, stop, end));
    if (labels === undefined) this.#rememberFirst(start);
    else this.#rememberNamed(labels, before, start, table, sink);
  }

  /** Lets `read` read fields that begin before a stop, until the position is `end`. */
  *#sliced(end: number, read: (stop: number) => void): SlicedWork<void> {
    const reader = this.#reader;
    while (reader.position < end) {
      read(Math.min(end, reader.position + this.#sliceBytes));
      yield;
    }
  }

  /** Returns the entry of the scanned series, or `UNKNOWN`. */
  #entry(start: number, table: LabelTable): number {
    const length = this.#frontEnd - start;
    if (!this.#hasSamples || !this.#isWhole || length === 0) return UNKNOWN;
    return table.find(this.#reader.view, start, length);
  }

  /** Names a new series to the sink and returns its handle. It is remembered by the labels at its front. */
  #add({ metric, tags }: SeriesLabels, start: number, table: LabelTable, sink: SeriesSink): number {
    const handle = sink.series({ metric, kind: 'reading', tags });
    const length = this.#isWhole ? this.#frontEnd - start : 0;
    const isKept = length > 0 && !sink.isRefused(handle);
    table.record(isKept ? table.add(this.#reader.view, start, length, handle) : UNKNOWN);
    return handle;
  }

  /** Takes back the samples of a series that is refused for its labels, and counts them. */
  #rememberNamed(
    labels: SeriesLabels | LabelProblem,
    before: number,
    start: number,
    table: LabelTable,
    sink: SeriesSink,
  ): void {
    if (!isProblem(labels)) {
      this.#rememberFirst(start);
      return;
    }
    const refused = this.#length - before;
    if (refused > 0) sink.reject(labels.reason, labels.field, labels.limit, refused);
    this.#length = before;
    table.record(UNKNOWN);
  }

  #beginScan(start: number): void {
    this.#reader.position = this.#frontEnd = start;
    this.#isInFront = this.#isWhole = true;
    this.#hasSamples = false;
  }

  /** Scans fields that begin before `stop`: where the labels at the front end, and whether labels follow later. */
  #scan(stop: number, end: number): void {
    const reader = this.#reader;
    if (this.#isInFront) this.#scanFront(stop, end);
    while (reader.position < stop) {
      const tag = reader.varint(end);
      if (tag === SERIES_LABEL) this.#isWhole = false;
      if (tag === SERIES_SAMPLE) this.#hasSamples = true;
      reader.skip(tag, end);
    }
  }

  #scanFront(stop: number, end: number): void {
    const reader = this.#reader;
    while (reader.position < stop && reader.bytes[reader.position] === SERIES_LABEL) {
      reader.position++;
      reader.position = reader.endOf(reader.varint(end), end);
    }
    this.#frontEnd = reader.position;
    this.#isInFront = reader.position >= stop;
  }

  /** Reads fields that begin before `stop`, except labels. */
  #fields(handle: number, stop: number, end: number): void {
    const reader = this.#reader;
    while (reader.position < stop) {
      const tag = reader.varint(end);
      if (tag === SERIES_SAMPLE) {
        this.#sample(handle, reader.varint(end), end);
        continue;
      }
      if (tag === SERIES_EXEMPLAR) this.#exemplars++;
      else if (tag === SERIES_HISTOGRAM) this.#histograms++;
      reader.skip(tag, end);
    }
  }

  #sample(handle: number, length: number, seriesEnd: number): void {
    const reader = this.#reader;
    const { bytes, view } = reader;
    const end = reader.endOf(length, seriesEnd);
    if (length > SAMPLE_BYTES) throw malformed('protobuf', `sample of ${length} bytes at byte ${reader.position}`);
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
