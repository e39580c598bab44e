import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { assert } from '@tidemark/ports';

/** How far a session's clock may be from the log's, ms. */
const TOLERANCE_MS = PROTOCOL_TIMES.clockToleranceMs;

/**
 * What appends tell of a session's clock. The log took a record between its sending and its ack, so by what it says of
 * the time then, the session's clock is ahead of the log's by something between (sent − appended) and (acked − appended).
 *
 * `off`: by the last append it is ahead, or behind, by more than 1 s. `right`: it is surely not, by all appends since it
 * was off together; a slow one alone can't tell. Until either, it is `unknown`.
 */
export class ClockCheck {
  #leastAheadMs = Number.NEGATIVE_INFINITY;
  #mostAheadMs = Number.POSITIVE_INFINITY;
  #off: string | undefined;

  get state(): 'unknown' | 'right' | 'off' {
    if (this.#off !== undefined) return 'off';
    return this.#mostAheadMs <= TOLERANCE_MS && this.#leastAheadMs >= -TOLERANCE_MS ? 'right' : 'unknown';
  }

  /** What is wrong with the clock, or not known of it; undefined when it is right. */
  get problem(): string | undefined {
    if (this.#off !== undefined) return this.#off;
    return this.state === 'right' ? undefined : 'the clock is not known to be right yet: the log was too slow to tell';
  }

  /** An append was sent and acked at these times of the session, and taken at that time of the log. */
  appended(sentMs: number, ackedMs: number, appendTimeMs: number): void {
    assert(ackedMs >= sentMs, 'the session clock never goes back');
    const leastMs = sentMs - appendTimeMs;
    const mostMs = ackedMs - appendTimeMs;
    if (leastMs > TOLERANCE_MS || mostMs < -TOLERANCE_MS) {
      this.#off = `the clock is off: sent at ${sentMs}, acked at ${ackedMs}, the log says ${appendTimeMs}`;
      this.#leastAheadMs = Number.NEGATIVE_INFINITY;
      this.#mostAheadMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#off = undefined;
    this.#leastAheadMs = Math.max(this.#leastAheadMs, leastMs);
    this.#mostAheadMs = Math.min(this.#mostAheadMs, mostMs);
  }
}
