import { NOTHING_STATED, type StatedIntervals } from '@tidemark/model';

/** An amount without a stated interval reaches no further than to so many points after it. */
export const REACH_POINTS = 4;

/** How many gaps before a point its inferred interval depends on. */
export const INTERVAL_GAPS = 5;

/** With fewer gaps than this an interval is a guess that must not reach far. */
const SURE_GAPS = 3;
/** The longest interval that is inferred from fewer than `SURE_GAPS` gaps, ms. */
const GUESS_MS = 5 * 60_000;
/** A gap is regular when it differs from the median by at most this share of it. */
const REGULAR_SHARE = 0.1;

/**
 * Reporting intervals of the points of one series, one after the other. An interval that is stated for the series stands,
 * else the one that is stated of its metric; without any it is
 * the lower median of the five gaps before the point. So it is a function of the times of the series alone, for any
 * range that is read, as long as those points are in the columns; and no later point changes what a complete step
 * says. A NaN ends a life of the series: gaps to it and from it are not counted.
 */
export class ReportingIntervals {
  readonly #gaps = new Float64Array(INTERVAL_GAPS);
  #timesMs: Float64Array = NONE;
  #values: Float64Array = NONE;
  #stated: StatedIntervals = NOTHING_STATED;
  readonly #ofMetricMs: number;

  /** `ofMetricMs` is stated of the metric, for points whose series states none; 0 where nothing is. */
  constructor(ofMetricMs = 0) {
    this.#ofMetricMs = ofMetricMs;
  }

  /** Sets the columns of the next series: ascending times, NaN where a life ended. */
  begin(timesMs: Float64Array, values: Float64Array, stated: StatedIntervals): void {
    this.#timesMs = timesMs;
    this.#values = values;
    this.#stated = stated;
  }

  /** Interval of the reading at `index`, ms; 0 when nothing is known about it. */
  ofReading(index: number): number {
    const stated = this.#statedAt(this.#timesMs[index]);
    if (stated > 0) return stated;
    const gaps = this.#collectGaps(index);
    if (gaps === 0) return 0;
    const median = this.#median(gaps);
    return gaps < SURE_GAPS ? Math.min(median, GUESS_MS) : median;
  }

  /**
   * Interval of the amount at `index`, ms. An inferred one must be regular: half of the gaps within a tenth of their
   * median. Amounts at irregular times are events, each at its instant: 0.
   */
  ofAmount(index: number): number {
    const stated = this.#statedAt(this.#timesMs[index]);
    if (stated > 0) return stated;
    const gaps = this.#collectGaps(index);
    if (gaps < SURE_GAPS) return 0;
    const median = this.#median(gaps);
    let regular = 0;
    for (let i = 0; i < gaps; i++) if (Math.abs(this.#gaps[i] - median) <= median * REGULAR_SHARE) regular++;
    return 2 * regular >= gaps ? median : 0;
  }

  /**
   * Until when the amount at `index` of the first `length` points reaches, ms: to the end of its interval, and an inferred
   * one at most to the fourth point after it, so that a range depends on a bounded number of points. `intervalMs` is that
   * of `ofAmount`.
   */
  reachOf(index: number, length: number, intervalMs = this.ofAmount(index)): number {
    const timeMs = this.#timesMs[index];
    const endMs = timeMs + intervalMs;
    if (this.#statedAt(timeMs) > 0) return endMs;
    return index + REACH_POINTS < length ? Math.min(endMs, this.#timesMs[index + REACH_POINTS]) : endMs;
  }

  #statedAt(timeMs: number): number {
    const { sinceMs, intervalsMs } = this.#stated;
    for (let i = sinceMs.length - 1; i >= 0; i--) if (sinceMs[i] <= timeMs) return intervalsMs[i];
    return this.#ofMetricMs;
  }

  /** Puts the gaps before a point into `#gaps`, and returns how many there are. */
  #collectGaps(index: number): number {
    const values = this.#values;
    const timesMs = this.#timesMs;
    let count = 0;
    for (let i = index; i > 0 && count < INTERVAL_GAPS; i--) {
      if (Number.isNaN(values[i - 1])) break;
      this.#gaps[count++] = timesMs[i] - timesMs[i - 1];
    }
    return count;
  }

  /** The lower median of the first `count` gaps. */
  #median(count: number): number {
    const gaps = this.#gaps;
    let isSorted = true;
    for (let i = 1; i < count; i++) if (gaps[i] < gaps[i - 1]) isSorted = false;
    if (!isSorted) gaps.subarray(0, count).sort();
    return gaps[(count - 1) >> 1];
  }
}

const NONE = new Float64Array(0);
