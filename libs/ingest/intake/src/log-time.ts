import type { ControlState } from '@tidemark/control-log';
import { FIRST_ERA } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import type { AcceptClock } from './accept-clock.ts';
import type { LaneEra } from './lane.ts';

/** Max time by which the log may be ahead of a session's clock, ms. */
const TOLERANCE_MS = PROTOCOL_TIMES.clockToleranceMs;

/**
 * Check of a session's clock by the time of the log: the newest append time in `control`. After the log's clock was set
 * back, that time and the watermarks lie in the future, and points that were accepted then would be late for as long. A
 * session waits until the log takes its time back, or, for a few seconds, until its clock has caught up.
 */
export class LogTime {
  readonly #state: ControlState;
  readonly #acceptClock: AcceptClock;
  #from = 0;

  constructor(state: ControlState, acceptClock: AcceptClock) {
    this.#state = state;
    this.#acceptClock = acceptClock;
  }

  /** Lets no lane open before `control` was read up to this offset: who opened lanes meanwhile is then known. */
  checkFrom(offset: number): void {
    this.#from = offset;
  }

  /** Why points would be late now; undefined when the clock has reached the log's time. */
  get problem(): string | undefined {
    const aheadMs = this.#state.throughMs - this.#acceptClock.nowMs();
    if (aheadMs <= TOLERANCE_MS) return undefined;
    return `the clock was set back: the log has records of ${Math.round(aheadMs)} ms from now, and no lane opens before that time or its correction`;
  }

  /** The era of lanes that open now; undefined while none may open. */
  get era(): LaneEra | undefined {
    const { nextOffset, eras } = this.#state;
    if (nextOffset < this.#from || this.problem !== undefined) return undefined;
    return { offset: eras.current, startMs: eras.current === FIRST_ERA ? 0 : eras.startMs };
  }
}
