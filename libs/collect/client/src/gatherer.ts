import { ByteWriter } from '@tidemark/bytes';
import { KIND } from '@tidemark/model';
import { assert, type Clock, isTidemarkError } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import type { ColumnPlan } from './column-plan.ts';
import type { GatheredSeries, SeriesRecorder } from './gathered-series.ts';
import type { ClientOptions } from './options.ts';
import { POINT_BYTES, RawBatch } from './raw-batch.ts';
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
  readonly #packed = new ByteWriter(1024);
  readonly #dirty: GatheredSeries[] = [];
  #openSketches = 0;
  #closed = false;
  #batch = new RawBatch();
  #intervalStartMs: number;
  /** The maximum frontier that any batch carries. */
  #promisedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, options: ClientOptions, counters: ClientCounters, onBatch: (batch: RawBatch) => void) {
    this.#clock = clock;
    this.#options = options;
    this.#counters = counters;
    this.#onBatch = onBatch;
    this.#intervalStartMs = this.#alignedMs(clock.wallMs());
  }

  /** The minimum timestamp that may still be cut, ms, explicit timestamps to come left aside. */
  get minTimeMs(): number {
    return Math.min(this.#intervalStartMs - this.#options.frontierLagMs, this.#batch.minTimeMs);
  }

  /** From now on recorded values are counted as rejected. */
  close(): void {
    this.#closed = true;
  }

  /** Remembers a frontier, to count the points that break it. */
  promise(frontierMs: number): void {
    if (frontierMs > this.#promisedMs) this.#promisedMs = frontierMs;
  }

  record(series: GatheredSeries, value: number, timestampMs: number | undefined): void {
    this.#counters.samples++;
    if (!this.#isTaken(series, value, timestampMs)) return;
    if (series.kindNumber === KIND.distribution) {
      try {
        this.#sketchAt(series, timestampMs).insert(value);
      } catch (error) {
        this.#sketchRefused(series, error);
      }
      return;
    }
    if (timestampMs !== undefined) {
      this.#makeRoom(1);
      this.#batch.addPoint(series.number, this.#explicit(timestampMs, 1), value);
      return;
    }
    this.#touch(series);
    if (series.kindNumber === KIND.count) {
      series.value += value;
    } else {
      series.value = value;
      series.timeMs = Math.floor(this.#clock.wallMs());
    }
  }

  recordSketch(series: GatheredSeries, sketch: DDSketch, timestampMs: number | undefined): void {
    this.#counters.samples++;
    assert(series.kindNumber === KIND.distribution, `a sketch for ${series.metric}, a ${series.kind}`);
    if (!this.#isTaken(series, 0, timestampMs)) return;
    if (sketch.count === 0) return;
    try {
      this.#sketchAt(series, timestampMs).merge(sketch);
    } catch (error) {
      this.#sketchRefused(series, error);
    }
  }

  /** One value of each of the plan's series at one time. The values are copied. */
  recordColumns(plan: ColumnPlan, timestampMs: number, values: Float64Array): void {
    this.#counters.samples += values.length;
    if (this.#closed) {
      this.#rejectSamples('closed', 'client', 'an open client', values.length, 'columns');
      return;
    }
    if (!isTime(timestampMs)) {
      this.#rejectSamples('timestamp_invalid', 'timestamp', 'below 2^51 ms', values.length, `${timestampMs}`);
      return;
    }
    this.#makeRoom(values.length);
    this.#batch.addLayer(plan, this.#explicit(timestampMs, values.length), new Float64Array(values));
  }

  /** Cuts all gathered values into batches and starts the next interval. */
  cut(): void {
    for (const series of this.#dirty) {
      series.dirty = false;
      if (series.kindNumber === KIND.distribution) this.#cutSketches(series);
      else {
        this.#cutIfFull(1);
        const timeMs = series.kindNumber === KIND.count ? this.#intervalStartMs : series.timeMs;
        this.#batch.addPoint(series.number, timeMs, series.value);
      }
      series.value = 0;
    }
    this.#dirty.length = 0;
    this.#openSketches = 0;
    this.#handOver();
    this.#intervalStartMs = this.#alignedMs(this.#clock.wallMs());
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

  #handOver(): void {
    if (this.#batch.points === 0) return;
    const batch = this.#batch;
    this.#batch = new RawBatch();
    this.#onBatch(batch);
  }

  /** Before more is recorded: a batch that would grow past its bounds is cut, sums included. */
  #makeRoom(points: number): void {
    if (this.#isFull(points + this.#dirty.length, 0)) this.cut();
  }

  #cutIfFull(points: number, moreBytes = 0): void {
    if (this.#isFull(points, moreBytes)) this.#handOver();
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

  #sketchRefused(series: GatheredSeries, error: unknown): void {
    if (!isTidemarkError(error)) throw error;
    const { field = 'value', limit = '' } = error.detail;
    this.#rejectSamples('sketch_refused', String(field), String(limit), 1, `${series.metric}: ${error.message}`);
  }

  #isTaken(series: GatheredSeries, value: number, timestampMs: number | undefined): boolean {
    if (this.#closed) {
      this.#rejectSamples('closed', 'client', 'an open client', 1, series.metric);
      return false;
    }
    if (timestampMs !== undefined && !isTime(timestampMs)) {
      this.#rejectSamples('timestamp_invalid', 'timestamp', 'below 2^51 ms', 1, `${timestampMs} of ${series.metric}`);
      return false;
    }
    // One such value would corrupt the sum or the sketch of the whole interval.
    const folds = series.kindNumber === KIND.count || series.kindNumber === KIND.distribution;
    if (folds && !Number.isFinite(value)) {
      this.#rejectSamples('value_nan', 'value', 'a finite number', 1, `${value} of ${series.metric}`);
      return false;
    }
    return true;
  }

  #explicit(timestampMs: number, points: number): number {
    const timeMs = Math.floor(timestampMs);
    if (timeMs < this.#promisedMs) this.#counters.behindFrontierPoints += points;
    return timeMs;
  }

  #rejectSamples(reason: string, field: string, limit: string, samples: number, what: string): void {
    this.#counters.rejectedSamples += samples;
    this.#counters.reject({ reason, field, limit, points: samples, message: `${reason}: ${what} (limit: ${limit})` });
  }

  #alignedMs(nowMs: number): number {
    const { flushIntervalMs } = this.#options;
    return flushIntervalMs > 0 ? Math.floor(nowMs / flushIntervalMs) * flushIntervalMs : Math.floor(nowMs);
  }
}

function isTime(timestampMs: number): boolean {
  return Math.abs(timestampMs) < MAX_TIME_MS;
}
