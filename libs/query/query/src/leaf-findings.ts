import type { AggregateReply, MatchReply } from '@tidemark/contract';
import { IntervalCounts } from '@tidemark/fold';
import { Completeness } from './completeness.ts';
import type { LogTime } from './log-time.ts';

/** Shares of readings above which restarts of a counter look like two senders of one series. */
const RESTART_SHARE = 0.1;
/** Fewer restarts are not noted. */
const MIN_RESTARTS = 3;

/** What the parts that answered say of a leaf apart from values: how far it is complete, and how its series report. */
export class LeafFindings {
  readonly completeness = new Completeness();
  #intervalMs = 0;
  /**
   * The usual interval of each reply, for all of its series: a reply of few, as one of many of a large leaf is, must not decide
   * for all.
   */
  readonly #usual = new IntervalCounts();
  #restarts = 0;
  #dips = 0;
  #points = 0;
  #deletedBeforeMs = Number.NEGATIVE_INFINITY;

  /** Adds the reply of a tag store: series may have expired before their points. */
  addMatch({ deletedBeforeMs = Number.NEGATIVE_INFINITY }: Pick<MatchReply, 'deletedBeforeMs'>): void {
    this.#deletedBeforeMs = Math.max(this.#deletedBeforeMs, deletedBeforeMs);
  }

  /** Adds the reply of a point store. Returns why its watermark says nothing; undefined when it does. */
  add(reply: AggregateReply, logTime: LogTime): string | undefined {
    const { watermarkMs, problem } = logTime.trusted(reply.coveredWatermarkMs, reply.era);
    this.completeness.add(watermarkMs);
    if (reply.knownThroughMs !== undefined) this.completeness.limit(reply.knownThroughMs);
    this.#intervalMs = Math.max(this.#intervalMs, reply.intervalMs);
    this.#usual.add(reply.usualIntervalMs, reply.seriesRead);
    this.#restarts += reply.restarts;
    this.#dips += reply.dips;
    this.#points += reply.pointsRead;
    this.#deletedBeforeMs = Math.max(this.#deletedBeforeMs, reply.deletedBeforeMs ?? Number.NEGATIVE_INFINITY);
    return problem;
  }

  /** The longest reporting interval of the series, ms; 0 when none is known. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** The interval that about nine tenths of the series do not exceed, ms; 0 when none is known. */
  get usualIntervalMs(): number {
    return this.#usual.usualMs;
  }

  /** What an answer from `fromMs` on must say of the points that were read: of deleted ones, and of a counter's senders. */
  notes(metric: string, fromMs: number): string[] {
    const notes: string[] = [];
    if (this.#deletedBeforeMs > fromMs) {
      notes.push(
        `points of ${metric} before ${new Date(this.#deletedBeforeMs).toISOString()} were deleted (store.retentionMs)`,
      );
    }
    if (this.#dips > 0) {
      notes.push(
        `${metric} went down by less than an eighth ${times(this.#dips)}, which adds nothing: a corrected value, or two senders of one series`,
      );
    }
    if (this.#restarts >= MIN_RESTARTS && this.#restarts > RESTART_SHARE * this.#points) {
      notes.push(
        `${metric} restarted ${times(this.#restarts)} within ${this.#points} points, which looks like two senders of one series: give each a tag of its own`,
      );
    }
    return notes;
  }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
