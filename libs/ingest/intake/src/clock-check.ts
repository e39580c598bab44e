import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { assert } from '@tidemark/ports';

/** Max difference between a session's clock and the log's, ms. */
const TOLERANCE_MS = PROTOCOL_TIMES.clockToleranceMs;

/**
 * Check of a session's clock by the log's append times. The log appended a record between its sending and its ack, so
 * by the append time, the session's clock is ahead of the log's by between (sent − appended) and (acked − appended).
 *
 * `off`: by the last append it is ahead, or behind, by more than 1 s. `right`: all appends since it was last off prove
 * that it is not; one slow append alone cannot prove it. Before either, it is `unknown`.
 */
export class ClockCheck {
  #minAheadMs = Number.NEGATIVE_INFINITY;
  #maxAheadMs = Number.POSITIVE_INFINITY;
  #off: string | undefined;

  get state(): 'unknown' | 'right' | 'off' {
    if (this.#off !== undefined) return 'off';
    return this.#maxAheadMs <= TOLERANCE_MS && this.#minAheadMs >= -TOLERANCE_MS ? 'right' : 'unknown';
  }

  /** Why the clock is not `right`; undefined when it is. */
  get problem(): string | undefined {
    if (this.#off !== undefined) return this.#off;
    return this.state === 'right'
      ? undefined
      : 'the clock is not checked yet: log appends are too slow to measure its offset';
  }

  /** Records an append that was sent and acked at these times of the session's clock, with the log's append time. */
  appended(sentMs: number, ackedMs: number, appendTimeMs: number): void {
    assert(ackedMs >= sentMs, 'the session clock never goes back');
    const minMs = sentMs - appendTimeMs;
    const maxMs = ackedMs - appendTimeMs;
    if (minMs > TOLERANCE_MS || maxMs < -TOLERANCE_MS) {
      this.#off = `the clock is off: sent at ${sentMs}, acked at ${ackedMs}, log append time ${appendTimeMs}`;
      this.#minAheadMs = Number.NEGATIVE_INFINITY;
      this.#maxAheadMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#off = undefined;
    this.#minAheadMs = Math.max(this.#minAheadMs, minMs);
    this.#maxAheadMs = Math.min(this.#maxAheadMs, maxMs);
  }
}
