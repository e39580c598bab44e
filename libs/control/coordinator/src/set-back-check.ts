import type { ControlState } from '@tidemark/control-log';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import type { Clock } from '@tidemark/ports';

/**
 * How long the log's clock must have been set back before time is taken back, by monotonic time. A single append time may
 * come from a broker that leads `control` only for a moment.
 */
const STEADY_MS = 2000;
/** Age up to which the newest record of `control` shows the log's clock. Each open session appends one a second. */
const FRESH_MS = PROTOCOL_TIMES.lapseMs;

/**
 * Check whether the clock of the log was ahead and was set back: the append times in `control` are below the highest one
 * by more than can be waited for, or lost records may have taken its time back. Two clocks must say so, the log's and this
 * process's.
 */
export class SetBackCheck {
  readonly #state: ControlState;
  readonly #clock: Clock;
  /** Monotonic time since which the log's clock has been back; undefined while it is not. */
  #backSinceMs: number | undefined;

  constructor(state: ControlState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Returns true when time must be taken back. Call it every turn. */
  isDue(): boolean {
    if (!this.#isNeeded || !this.#clocksAgree) {
      this.#backSinceMs = undefined;
      return false;
    }
    const nowMs = this.#clock.monotonicMs();
    this.#backSinceMs ??= nowMs;
    if (nowMs - this.#backSinceMs < STEADY_MS) return false;
    // If this decision is void, the next one waits as long.
    this.#backSinceMs = nowMs;
    return true;
  }

  /** Why time is not taken back although the log's clock went back; undefined when nothing is in the way. */
  get problem(): string | undefined {
    if (!this.#isNeeded || this.#clocksAgree) return undefined;
    const offS = Math.round(Math.abs(this.#behindMs) / 1000);
    const why = this.#isBack
      ? `is ${Math.round(this.#aheadMs / 1000)} s ahead of its newest record`
      : 'may have been taken back by a lost record';
    return (
      `the time of control ${why}, and is not taken back: ` +
      `by the clock of this process, that record is ${offS} s ${this.#behindMs > 0 ? 'old' : 'in the future'}`
    );
  }

  get #aheadMs(): number {
    return this.#state.throughMs - this.#state.appendTimeMs;
  }

  get #isNeeded(): boolean {
    return this.#isBack || this.#state.mayLackEra;
  }

  get #isBack(): boolean {
    return this.#aheadMs > PROTOCOL_TIMES.setBackMs;
  }

  /** By how much the newest record is older than the time of this process, ms. */
  get #behindMs(): number {
    return this.#clock.wallMs() - this.#state.appendTimeMs;
  }

  get #clocksAgree(): boolean {
    return this.#behindMs >= -PROTOCOL_TIMES.witnessMs && this.#behindMs <= FRESH_MS;
  }
}
