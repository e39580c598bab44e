import type { BatchTarget } from './batch-target.ts';
import type { BatchOutcome } from './gathered-batch.ts';
import { isPlainNumber, PointRules } from './point-rules.ts';
import type { Rejections } from './rejections.ts';
import {
  batchSize,
  POINT_BYTES,
  type RequestLimits,
  SKETCH_BYTES,
  STEP_POINTS,
  STEP_SKETCH_BYTES,
  STEP_SKETCHES,
} from './request-limits.ts';
import type { RequestPoints } from './request-points.ts';
import { REFUSED } from './series-handles.ts';
import { Settlement } from './settlement.ts';
import type { TenantBatcher } from './tenant-batcher.ts';

/**
 * Judges the points of one request and adds the good ones to the batches of a target. request-intake.test.ts covers it,
 * and point-rules.test.ts its verdicts.
 */
export class BatchFiller {
  readonly #batcher: TenantBatcher;
  readonly #target: BatchTarget;
  /** Size of what is added to a batch at once. */
  readonly #size: ReturnType<typeof batchSize>;
  readonly #rejections: Rejections;
  readonly #rules: PointRules;

  constructor(batcher: TenantBatcher, target: BatchTarget, limits: RequestLimits, rejections: Rejections) {
    this.#batcher = batcher;
    this.#target = target;
    this.#size = batchSize(limits, batcher.session.shareBytes);
    this.#rejections = rejections;
    const { session } = batcher;
    this.#rules = new PointRules(session.limits, session.acceptClock.nowMs());
  }

  /**
   * Adds all points in batches of bounded size, and returns the number of good ones. `settled` is called once, with the
   * partitions that did not store all of them. Without `pause` all points are read before the first wait; with it, other
   * work has its turn after some milliseconds of work each.
   */
  async fill(points: RequestPoints, settled: BatchOutcome, pause?: () => Promise<void>): Promise<number> {
    const settlement = new Settlement(settled);
    let good = 0;
    for (const added of this.#steps(points, settlement)) {
      good += added;
      if (pause !== undefined) await pause();
    }
    this.#target.complete();
    settlement.complete();
    return good;
  }

  /** Adds some points after the other, and yields the number of good ones of each step. */
  *#steps(points: RequestPoints, settlement: Settlement): Generator<number, void> {
    yield* this.#addSketches(points, settlement);
    yield* this.#addNumbers(points, settlement);
  }

  *#addNumbers({ numbers }: RequestPoints, settlement: Settlement): Generator<number, void> {
    const step = Math.max(1, Math.min(STEP_POINTS, this.#size.points, Math.floor(this.#size.bytes / POINT_BYTES)));
    for (let from = 0; from < numbers.length; from += step) {
      const count = this.#addRange(numbers, from, Math.min(numbers.length, from + step));
      if (count > 0) this.#added(count, 0, 0, settlement);
      yield count;
    }
  }

  /** Adds numbers [from, to) to the current batch and returns the number of good ones. */
  #addRange({ refs: own, timesMs, values }: RequestPoints['numbers'], from: number, to: number): number {
    const { partitions, refs, classes } = this.#batcher.handles;
    const { gathering } = this.#target;
    const { minTimeMs, maxTimeMs } = this.#rules;
    let good = 0;
    for (let i = from; i < to; i++) {
      const handle = own[i];
      const timeMs = timesMs[i];
      const value = values[i];
      const seriesClass = classes[handle];
      const isPlain = seriesClass !== REFUSED && isPlainNumber(seriesClass, timeMs, value, minTimeMs, maxTimeMs);
      if (!isPlain && this.#rejectsNumber(handle, timeMs, value)) continue;
      gathering.part(partitions[handle]).points.push(refs[handle], Math.floor(timeMs), value);
      good++;
    }
    return good;
  }

  #rejectsNumber(handle: number, timeMs: number, value: number): boolean {
    if (this.#isRefused(handle)) return true;
    const known = this.#rejections.reasons;
    const seriesClass = this.#batcher.handles.classes[handle];
    // `RequestSeries` has no counters.
    if (!this.#rules.rejectsNumber(seriesClass, false, timeMs, value, this.#rejections)) return false;
    this.#rejections.nameSince(known, this.#batcher.metricName(handle));
    return true;
  }

  *#addSketches({ sketches }: RequestPoints, settlement: Settlement): Generator<number, void> {
    const { handles } = this.#batcher;
    let count = 0;
    let sizeBytes = 0;
    for (let i = 0; i < sketches.length; i++) {
      const handle = sketches.refs[i];
      const timeMs = sketches.timesMs[i];
      const payload = sketches.payloads[i];
      if (this.#rejectsSketch(handle, timeMs, payload)) continue;
      const isFull =
        count >= this.#size.points || sizeBytes + payload.length + (count + 1) * SKETCH_BYTES > this.#size.bytes;
      const isStep = count >= STEP_SKETCHES || sizeBytes >= STEP_SKETCH_BYTES;
      if ((isFull || isStep) && count > 0) {
        this.#added(0, count, sizeBytes, settlement);
        yield count;
        count = 0;
        sizeBytes = 0;
      }
      const part = this.#target.gathering.part(handles.partitions[handle]);
      part.sketches.push(handles.refs[handle], Math.floor(timeMs), payload);
      count++;
      sizeBytes += payload.length;
    }
    if (count > 0) this.#added(0, count, sizeBytes, settlement);
    yield count;
  }

  #rejectsSketch(handle: number, timeMs: number, payload: Uint8Array): boolean {
    if (this.#isRefused(handle)) return true;
    const known = this.#rejections.reasons;
    if (!this.#rules.rejectsSketch(this.#batcher.handles.classes[handle], timeMs, payload, this.#rejections))
      return false;
    this.#rejections.nameSince(known, this.#batcher.metricName(handle));
    return true;
  }

  #added(points: number, sketches: number, payloadBytes: number, settlement: Settlement): void {
    this.#target.gathering.count(points, sketches, payloadBytes);
    settlement.expect();
    this.#target.added((notStored) => settlement.settleBatch(notStored));
  }

  /** Returns true when the series is refused, and counts its point under that reason. */
  #isRefused(handle: number): boolean {
    const refusal = this.#batcher.refusalOf(handle);
    if (refusal === undefined) return false;
    this.#rejections.refuse(refusal);
    return true;
  }
}
