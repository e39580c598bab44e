import { isStaleMarker, type PointLimits, SERIES_CLASS } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { unpackSketch } from '@tidemark/sketch';
import type { IntakeLimits } from './intake-limits.ts';
import type { Rejections } from './rejections.ts';

export type PointRuleLimits = Pick<PointLimits, 'aheadMs' | 'behindMs' | 'keptMs'> & Pick<IntakeLimits, 'sketchBytes'>;

/**
 * Rules for a single point of a known series. Streams and requests both use them, so a point has the same verdict,
 * reason and limit on both paths. Times are judged by one accept time, ms since the Unix epoch.
 */
export class PointRules {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly #limits: PointRuleLimits;
  readonly #behindMs: number;

  constructor(limits: PointRuleLimits, acceptMs: number) {
    this.#limits = limits;
    this.#behindMs = Math.min(limits.behindMs, limits.keptMs ?? Number.POSITIVE_INFINITY);
    this.minTimeMs = acceptMs - this.#behindMs;
    this.maxTimeMs = acceptMs + limits.aheadMs;
  }

  /**
   * Returns true for a number that violates a rule, and counts it in `rejections`. `isCounter` says what the sender states
   * of the series: its class is that of gauges, which may be infinite.
   */
  rejectsNumber(
    seriesClass: number,
    isCounter: boolean,
    timeMs: number,
    value: number,
    rejections: Rejections,
  ): boolean {
    if (this.#rejectsTime(timeMs, rejections)) return true;
    if (seriesClass === SERIES_CLASS.distribution)
      rejections.add('kind_mismatch', 'value', 'a sketch for a distribution');
    else if (seriesClass === SERIES_CLASS.reading && isStaleMarker(value)) return false;
    else if (Number.isNaN(value)) rejections.add('value_nan', 'value', 'a number');
    else if ((seriesClass === SERIES_CLASS.count || isCounter) && !Number.isFinite(value))
      rejections.add('value_infinite', 'value', 'finite');
    else return false;
    return true;
  }

  /** Returns true for a sketch that violates a rule, and counts it in `rejections`. */
  rejectsSketch(seriesClass: number, timeMs: number, payload: Uint8Array, rejections: Rejections): boolean {
    if (this.#rejectsTime(timeMs, rejections)) return true;
    const { sketchBytes } = this.#limits;
    if (seriesClass !== SERIES_CLASS.distribution) rejections.add('kind_mismatch', 'sketch', 'a number for this kind');
    else if (payload.length > sketchBytes) {
      rejections.add('sketch_too_large', 'sketchBytes', `${sketchBytes} bytes`);
    } else if (!isSketch(payload)) rejections.add('sketch_invalid', 'sketch', 'the packed sketch format');
    else return false;
    return true;
  }

  /** Returns true for a time that violates a rule. NaN counts as a time before all others. */
  #rejectsTime(timeMs: number, rejections: Rejections): boolean {
    const { aheadMs, behindMs } = this.#limits;
    const source = this.#behindMs < behindMs ? ', as long as points are kept' : '';
    if (timeMs > this.maxTimeMs) {
      const example = rejections.has('timestamp_ahead') ? undefined : this.#timeFound(timeMs);
      rejections.add('timestamp_ahead', 'timestamp', `${aheadMs} ms ahead of the intake's clock`, 1, example);
    } else if (!(timeMs >= this.minTimeMs)) {
      const example = rejections.has('timestamp_behind') ? undefined : this.#timeFound(timeMs);
      const limit = `${this.#behindMs} ms behind the intake's clock${source}`;
      rejections.add('timestamp_behind', 'timestamp', limit, 1, example);
    } else return false;
    return true;
  }

  /** Returns a wrong time for the message. One in a unit that is too small by 1000 is the most frequent mistake. */
  #timeFound(timeMs: number): string {
    const seconds = `${timeMs / 1000} s`;
    const dividedMs = timeMs / 1000;
    return dividedMs >= this.minTimeMs && dividedMs <= this.maxTimeMs ? `${seconds}; divide it by 1000` : seconds;
  }
}

/**
 * Returns true only for a number that `rejectsNumber` accepts. Loops over points call this first: it needs no object
 * and no call that the engine cannot inline.
 */
export function isPlainNumber(
  seriesClass: number,
  timeMs: number,
  value: number,
  minTimeMs: number,
  maxTimeMs: number,
): boolean {
  return seriesClass !== SERIES_CLASS.distribution && timeMs >= minTimeMs && timeMs <= maxTimeMs && value - value === 0;
}

/** Returns true for bytes in the packed sketch format. */
function isSketch(payload: Uint8Array): boolean {
  try {
    unpackSketch(payload);
    return true;
  } catch (error) {
    if (isTidemarkError(error)) return false;
    throw error;
  }
}
