import { ByteWriter } from '@tidemark/bytes';
import { classOfKind, KIND, SERIES_CLASS, STALE_MARKER } from '@tidemark/model';
import { type Clock, isTidemarkError } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { describe } from './check-arguments.ts';
import type { ColumnPlan } from './column-plan.ts';
import type { GatheredSeries, SeriesRecorder } from './gathered-series.ts';
import type { ClientOptions } from './options.ts';
import { POINT_BYTES, RawBatch } from './raw-batch.ts';
import type { SeriesNumbers } from './series-numbers.ts';
import type { ClientCounters } from './stats.ts';

/** No intake takes more points in one share. */
export const MAX_BATCH_POINTS = 500_000;
/** Sketches that gather at the same time; beyond, a flush comes early. */
const MAX_OPEN_SKETCHES = 10_000;
/** Timestamps beyond have no encoding. */
const MAX_TIME_MS = 2 ** 51;

/** Gathers recorded values until a flush cuts them into batches. */
export class Gatherer implements SeriesRecorder {
  readonly #clock: Clock;
  readonly #options: ClientOptions;
  readonly #counters: ClientCounters;
  /** Called with each batch that was cut; the batch is the callee's. */
  readonly #onBatch: (batch: RawBatch) => void;
  readonly #numbers: SeriesNumbers;
  readonly #packed = new ByteWriter(1024);
  readonly #dirty: GatheredSeries[] = [];
  #openSketches = 0;
  /** True while columns are added, whose numbers are of the present table. */
  #isAdding = false;
  #closed = false;
  #batch = new RawBatch();
  /** Batches of the present cut. */
  readonly #ended: RawBatch[] = [];
  #intervalMs: number;
  #intervalStartMs: number;
  /** When the present interval length was chosen: an interval that contains it begins there. */
  #chosenAtMs = Number.NEGATIVE_INFINITY;
  /** The maximum frontier that any batch carries. */
  #promisedMs = Number.NEGATIVE_INFINITY;

  constructor(
    clock: Clock,
    options: ClientOptions,
    counters: ClientCounters,
    numbers: SeriesNumbers,
    onBatch: (batch: RawBatch) => void,
  ) {
    this.#clock = clock;
    this.#numbers = numbers;
    this.#options = options;
    this.#counters = counters;
    this.#onBatch = onBatch;
    this.#intervalMs = options.flushIntervalMs ?? 0;
    this.#intervalStartMs = this.#alignedMs(clock.wallMs());
  }

  /** The minimum timestamp that may still be cut, ms, explicit timestamps to come left aside. */
  get minTimeMs(): number {
    return Math.min(this.#intervalStartMs - this.#options.frontierLagMs, this.#batch.minTimeMs);
  }

  /** True when nothing is gathered, so that series may get other numbers. */
  get isEmpty(): boolean {
    return !this.#isAdding && this.#dirty.length === 0 && this.#batch.points === 0 && this.#ended.length === 0;
  }

  /** Points that the next cut adds to those cut before. */
  get points(): number {
    let points = this.#batch.points;
    for (const batch of this.#ended) points += batch.points;
    for (const { hasValue, sketches } of this.#dirty) {
      if (hasValue) points++;
      for (const { count } of sketches?.values() ?? []) if (count > 0) points++;
    }
    return points;
  }

  /** Begins an interval now; the next ones begin at multiples of `intervalMs`, or at each cut when it is 0. */
  useInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#chosenAtMs = Math.floor(this.#clock.wallMs());
    this.#intervalStartMs = this.#chosenAtMs;
  }

  /** From now on recorded values are counted as rejected. */
  close(): void {
    this.#closed = true;
  }

  /** Remembers a frontier, to count the points that break it. */
  promise(frontierMs: number): void {
    if (frontierMs > this.#promisedMs) this.#promisedMs = frontierMs;
  }

  /** Records one value. It never throws: what cannot be accepted is counted as rejected. */
  record(series: GatheredSeries, value: number, timestampMs: number | undefined): void {
    this.#counters.samples++;
    if (!this.#isTaken(series, value, timestampMs)) return;
    try {
      this.#take(series, value, timestampMs);
    } catch (error) {
      this.#failed(series, error);
    }
  }

  #take(series: GatheredSeries, value: number, timestampMs: number | undefined): void {
    if (series.kindNumber === KIND.distribution) {
      const sketch = this.#sketchAt(series, timestampMs);
      sketch.insert(value);
      if (sketch.count > 1) this.#counters.mergedSamples++;
      return;
    }
    if (timestampMs !== undefined) {
      this.#makeRoom(1);
      this.#batch.addPoint(this.#numbers.of(series), this.#explicit(timestampMs, 1), value);
      return;
    }
    this.#touch(series);
    if (series.kindNumber === KIND.count) {
      const sum = series.value + value;
      if (!Number.isFinite(sum)) {
        this.#rejectSample('value_infinite', 'value', 'a finite sum', `${value} of ${series.metric}`);
        return;
      }
      series.value = sum;
    } else {
      series.value = value;
      series.timeMs = Math.floor(this.#clock.wallMs());
    }
    if (series.hasValue) this.#counters.mergedSamples++;
    series.hasValue = true;
  }

  /**
   * Ends a series at a time, or now, after what it has gathered. It never throws: what cannot be accepted is counted as
   * rejected.
   */
  end(series: GatheredSeries, timestampMs: number | undefined): void {
    this.#counters.samples++;
    if (!this.#isTaken(series, 0, timestampMs)) return;
    if (classOfKind(series.kindNumber) !== SERIES_CLASS.reading) {
      const limit = 'a gauge, counter or reading';
      this.#rejectSample('kind_without_end', 'kind', limit, `an end of ${series.metric}, a ${series.kind}`);
      return;
    }
    try {
      this.#makeRoom(2);
      const timeMs = timestampMs === undefined ? Math.floor(this.#clock.wallMs()) : this.#explicit(timestampMs, 1);
      if (timestampMs === undefined && series.hasValue) this.#addValue(series, series.timeMs);
      this.#batch.addPoint(this.#numbers.of(series), timeMs, STALE_MARKER);
    } catch (error) {
      this.#failed(series, error);
    }
  }

  #addValue(series: GatheredSeries, timeMs: number): void {
    this.#batch.addPoint(series.number, timeMs, series.value);
    series.hasValue = false;
    series.value = 0;
  }

  /** Merges a sketch into the series'. It never throws: what cannot be accepted is counted as rejected. */
  recordSketch(series: GatheredSeries, sketch: DDSketch, timestampMs: number | undefined): void {
    this.#counters.samples++;
    if (!this.#isTaken(series, 0, timestampMs)) return;
    try {
      if (series.kindNumber !== KIND.distribution) {
        this.#rejectSample(
          'kind_mismatch',
          'sketch',
          'a distribution',
          `a sketch for ${series.metric}, a ${series.kind}`,
        );
      } else if (!isSketch(sketch)) {
        this.#mistyped('sketch_type', 'sketch', 'a DDSketch', `${describe(sketch)} of ${series.metric}`);
      } else if (sketch.count > 0) {
        const own = this.#sketchAt(series, timestampMs);
        const isFirst = own.count === 0;
        own.merge(sketch);
        if (!isFirst) this.#counters.mergedSamples++;
      } else {
        this.#counters.mergedSamples++;
      }
    } catch (error) {
      this.#failed(series, error);
    }
  }

  /** One value of each of the plan's series at one time. The values are copied. */
  recordColumns(plan: ColumnPlan, timestampMs: number, values: Float64Array): void {
    this.#counters.samples += values.length;
    if (this.#closed) {
      this.#rejectSamples('closed', 'client', 'an open client', values.length, 'columns');
      return;
    }
    if (typeof timestampMs !== 'number') {
      const found = describe(timestampMs);
      this.#counters.rejectMistyped('timestamp_type', 'timestamp', 'a number of ms', values.length, found);
      return;
    }
    if (!isTime(timestampMs)) {
      this.#rejectSamples('timestamp_invalid', 'timestamp', 'below 2^51 ms', values.length, `${timestampMs}`);
      return;
    }
    this.#numbers.used(plan);
    this.#isAdding = true;
    try {
      this.#makeRoom(values.length);
      if (areFinite(values)) {
        this.#batch.addLayer(plan, this.#explicit(timestampMs, values.length), new Float64Array(values));
      } else this.#addGood(plan, timestampMs, values);
    } finally {
      this.#isAdding = false;
    }
  }

  /** One bad value must not take the good ones of its series with it, which may be merged with it. */
  #addGood({ numbers }: ColumnPlan, timestampMs: number, values: Float64Array): void {
    for (let i = 0; i < values.length; i++) {
      const { kind, metric } = this.#numbers.table.get(numbers[i]);
      if (isValueOf(kind, values[i])) this.#batch.addPoint(numbers[i], this.#explicit(timestampMs, 1), values[i]);
      else this.#rejectValue(values[i], metric);
    }
  }

  /** Cuts all gathered values into batches and starts the next interval. */
  cut(): void {
    for (const series of this.#dirty) {
      series.dirty = false;
      if (series.kindNumber === KIND.distribution) this.#cutSketches(series);
      else if (series.hasValue) {
        this.#cutIfFull(1);
        this.#addValue(series, series.kindNumber === KIND.count ? this.#intervalStartMs : series.timeMs);
      }
    }
    this.#dirty.length = 0;
    this.#openSketches = 0;
    this.#endBatch();
    this.#intervalStartMs = this.#alignedMs(this.#clock.wallMs());
    this.#handOver();
  }

  #cutSketches(series: GatheredSeries): void {
    for (const [timeMs, sketch] of series.sketches ?? []) {
      // Only when its one value was refused.
      if (sketch.count === 0) continue;
      packSketch(sketch, this.#packed);
      const payload = this.#packed.take();
      this.#cutIfFull(1, payload.length);
      this.#batch.addSketch(series.number, timeMs, payload);
    }
    series.sketches = undefined;
  }

  #endBatch(): void {
    if (this.#batch.points === 0) return;
    this.#ended.push(this.#batch);
    this.#batch = new RawBatch();
  }

  /** Last of a cut: a batch that is given up at once calls the program, which may record and flush. */
  #handOver(): void {
    for (let batch = this.#ended.shift(); batch !== undefined; batch = this.#ended.shift()) this.#onBatch(batch);
  }

  /** Before more is recorded: a batch that would grow past its bounds is cut, sums included. */
  #makeRoom(points: number): void {
    if (this.#isFull(points + this.#dirty.length, 0)) this.cut();
  }

  #cutIfFull(points: number, moreBytes = 0): void {
    if (this.#isFull(points, moreBytes)) this.#endBatch();
  }

  #isFull(points: number, moreBytes: number): boolean {
    const { points: held, boundBytes } = this.#batch;
    return (
      (held > 0 || this.#dirty.length > 0) &&
      (boundBytes + points * POINT_BYTES + moreBytes > this.#options.maxBatchBytes || held + points > MAX_BATCH_POINTS)
    );
  }

  #touch(series: GatheredSeries): void {
    if (series.dirty) return;
    this.#makeRoom(1);
    // A cut may call the program, which may record a value of this series.
    if (series.dirty) return;
    this.#numbers.of(series);
    series.dirty = true;
    this.#dirty.push(series);
  }

  /** The sketch that a value at this time goes into. */
  #sketchAt(series: GatheredSeries, timestampMs: number | undefined): DDSketch {
    if (this.#openSketches >= MAX_OPEN_SKETCHES) this.cut();
    this.#touch(series);
    const timeMs = timestampMs === undefined ? this.#intervalStartMs : this.#explicit(timestampMs, 1);
    series.sketches ??= new Map();
    let sketch = series.sketches.get(timeMs);
    if (sketch === undefined) {
      sketch = new DDSketch();
      series.sketches.set(timeMs, sketch);
      this.#openSketches++;
    }
    return sketch;
  }

  /** A sketch has no bucket for a value, or the client has too many series; anything else is an error of this library. */
  #failed(series: GatheredSeries, error: unknown): void {
    if (isTidemarkError(error)) {
      const { field = 'value', limit = '' } = error.detail;
      const reason = error.code === 'resource_exhausted' ? 'too_many_series' : 'sketch_refused';
      this.#rejectSample(reason, String(field), String(limit), `${series.metric}: ${error.message}`);
      return;
    }
    this.#counters.fail(error);
    this.#rejectSample('internal', 'client', 'no internal error', series.metric);
  }

  #isTaken(series: GatheredSeries, value: number, timestampMs: number | undefined): boolean {
    if (isValueOf(series.kindNumber, value) && (timestampMs === undefined || isTime(timestampMs)) && !this.#closed)
      return true;
    this.#refuse(series, value, timestampMs);
    return false;
  }

  /** One refused value would corrupt the sum, the sketch or the last value of the whole interval. */
  #refuse({ metric }: GatheredSeries, value: unknown, timestampMs: unknown): void {
    if (this.#closed) {
      this.#rejectSample('closed', 'client', 'an open client', metric);
    } else if (timestampMs !== undefined && typeof timestampMs !== 'number') {
      this.#mistyped('timestamp_type', 'timestamp', 'a number of ms', `${describe(timestampMs)} of ${metric}`);
    } else if (timestampMs !== undefined && !isTime(timestampMs)) {
      this.#rejectSample('timestamp_invalid', 'timestamp', 'below 2^51 ms', `${timestampMs} of ${metric}`);
    } else if (typeof value !== 'number') {
      this.#mistyped('value_type', 'value', 'a number', `${describe(value)} of ${metric}`);
    } else {
      this.#rejectValue(value, metric);
    }
  }

  #rejectValue(value: number, metric: string): void {
    const reason = Number.isNaN(value) ? 'value_nan' : 'value_infinite';
    this.#rejectSample(reason, 'value', 'a finite number, or an infinite gauge', `${value} of ${metric}`);
  }

  #explicit(timestampMs: number, points: number): number {
    const timeMs = Math.floor(timestampMs);
    if (timeMs < this.#promisedMs) this.#counters.behindFrontierPoints += points;
    return timeMs;
  }

  #rejectSample(reason: string, field: string, limit: string, what: string): void {
    this.#rejectSamples(reason, field, limit, 1, what);
  }

  #rejectSamples(reason: string, field: string, limit: string, samples: number, what: string): void {
    this.#counters.rejectedSamples += samples;
    this.#counters.reject({ reason, field, limit, points: samples, message: `${reason}: ${what} (limit: ${limit})` });
  }

  #mistyped(reason: string, field: string, limit: string, what: string): void {
    this.#counters.rejectMistyped(reason, field, limit, 1, what);
  }

  #alignedMs(nowMs: number): number {
    if (this.#intervalMs === 0) return Math.floor(nowMs);
    const startMs = Math.floor(nowMs / this.#intervalMs) * this.#intervalMs;
    const isChosenWithin = this.#chosenAtMs > startMs && this.#chosenAtMs < startMs + this.#intervalMs;
    return isChosenWithin ? this.#chosenAtMs : startMs;
  }
}

/** A loop: a call for each value would cost more than to copy it. */
function areFinite(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return false;
  return true;
}

function isTime(timestampMs: unknown): timestampMs is number {
  return typeof timestampMs === 'number' && Math.abs(timestampMs) < MAX_TIME_MS;
}

/** True for a sketch that can be read: a proxy of one cannot. */
function isSketch(sketch: unknown): boolean {
  try {
    return sketch instanceof DDSketch && sketch.count >= 0;
  } catch {
    return false;
  }
}

/**
 * A gauge, or a reading of unknown kind, may be infinite; any other value is finite. False for all that is not a number,
 * of which nothing is converted.
 */
function isValueOf(kind: number, value: unknown): boolean {
  if (Number.isFinite(value)) return true;
  const mayBeInfinite = kind === KIND.gauge || kind === KIND.reading;
  return mayBeInfinite && (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY);
}
