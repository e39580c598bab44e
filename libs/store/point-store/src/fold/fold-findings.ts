import type { AggregateReply } from '@tidemark/contract';
import { holdMs, IntervalCounts, TIME_FOLD } from '@tidemark/fold';
import type { AggregatePlan } from '../read/aggregate-plan.ts';

/** A series' newest point before the end of the range. */
export interface NewestPoint {
  readonly timeMs: number;
  /** Its reporting interval, ms; 0 when none is known. */
  readonly intervalMs: number;
  /** Its value says that the series ended, or is of no counter. */
  readonly hasEnded: boolean;
  /** There is a point behind the range. */
  readonly isFollowed: boolean;
}

/** What an answer says of its series apart from their values. */
export class FoldFindings {
  readonly #plan: AggregatePlan;
  readonly #watermarkMs: number;
  readonly #intervals = new IntervalCounts();
  #knownThroughMs: number | undefined;
  #newest: NewestPoint | undefined;
  #series = 0;

  /** @param watermarkMs that of the answer's position. */
  constructor(plan: AggregatePlan, watermarkMs = Number.NEGATIVE_INFINITY) {
    this.#plan = plan;
    this.#watermarkMs = watermarkMs;
  }

  /** Takes over the interval of the newest point of so many series, and what that says of counters. */
  add(newest: NewestPoint, series = 1): void {
    if (newest !== this.#newest) this.#settle();
    this.#newest = newest;
    this.#series += series;
  }

  /** Takes over what was collected: most series share their newest point with the one before. */
  #settle(): void {
    const series = this.#series;
    if (this.#newest === undefined || series === 0) return;
    this.#series = 0;
    const { timeMs, intervalMs, hasEnded, isFollowed } = this.#newest;
    const { fromMs, timeFold, latenessMs, contextPoints } = this.#plan;
    const silentFromMs = timeMs + holdMs(intervalMs);
    // Without earlier points an interval would depend on where the range begins.
    if (contextPoints > 0 && silentFromMs >= fromMs) this.#intervals.add(intervalMs, series);
    if (timeFold !== TIME_FOLD.increase && timeFold !== TIME_FOLD.rate) return;
    // A reading after the range says how much the counter grew up to its end.
    if (hasEnded || isFollowed) return;
    if (silentFromMs + latenessMs < this.#watermarkMs) return;
    this.#knownThroughMs = Math.min(this.#knownThroughMs ?? Number.POSITIVE_INFINITY, timeMs);
  }

  /** The fields of the answer. */
  get reply(): Pick<AggregateReply, 'knownThroughMs' | 'intervalMs' | 'usualIntervalMs'> {
    this.#settle();
    const { longestMs: intervalMs, usualMs: usualIntervalMs } = this.#intervals;
    return { knownThroughMs: this.#knownThroughMs, intervalMs, usualIntervalMs };
  }
}
