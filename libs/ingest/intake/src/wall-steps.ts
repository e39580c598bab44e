import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import type { Clock } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';

/** A change of the difference between both clocks beyond this is a step, ms. */
const TOLERANCE_MS = PROTOCOL_TIMES.clockToleranceMs;

/**
 * Detects that the wall clock was set, or that the machine was suspended, during which monotonic time, and so a session's
 * clock, does not advance. One of the two clocks is then wrong, and only an append shows which one. Until then no timestamp
 * may be rejected by the session's clock.
 */
export class WallSteps {
  readonly #clock: Clock;
  readonly #acceptClock: AcceptClock;
  /** Wall time minus session time when an append last showed that the session's clock is right, ms. */
  #knownMs: number;
  /** The difference after a step, and the session's time at which it was noticed. */
  #step: { readonly differenceMs: number; readonly noticedMs: number } | undefined;

  constructor(clock: Clock, acceptClock: AcceptClock) {
    this.#clock = clock;
    this.#acceptClock = acceptClock;
    this.#knownMs = this.#differenceMs;
  }

  /** Why the session's clock may be wrong; undefined when no step was noticed since an append showed that it is right. */
  get problem(): string | undefined {
    this.#compare();
    if (this.#step === undefined) return undefined;
    const byMs = Math.round(this.#step.differenceMs - this.#knownMs);
    return `the clock of this machine was set by ${byMs} ms, or the machine was suspended: the next append shows which time is right`;
  }

  /** Records that an append, sent at this time of the session's clock, showed that this clock is right. */
  confirmed(sentMs: number): void {
    this.#compare();
    if (this.#step === undefined) this.#knownMs = this.#differenceMs;
    else if (sentMs >= this.#step.noticedMs) {
      this.#knownMs = this.#step.differenceMs;
      this.#step = undefined;
    }
  }

  get #differenceMs(): number {
    return this.#clock.wallMs() - this.#acceptClock.nowMs();
  }

  #compare(): void {
    const differenceMs = this.#differenceMs;
    if (Math.abs(differenceMs - this.#knownMs) <= TOLERANCE_MS) this.#step = undefined;
    else if (this.#step === undefined || Math.abs(differenceMs - this.#step.differenceMs) > TOLERANCE_MS) {
      this.#step = { differenceMs, noticedMs: this.#acceptClock.nowMs() };
    }
  }
}
