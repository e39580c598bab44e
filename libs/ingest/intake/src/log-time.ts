import type { ControlState } from '@tidemark/control-log';
import { FIRST_ERA } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import type { AcceptClock } from './accept-clock.ts';
import type { LaneEra } from './lane.ts';

/** Max time by which the log may be ahead of a session's clock, ms. */
const TOLERANCE_MS = PROTOCOL_TIMES.clockToleranceMs;
/** Max time by which a watermark may be ahead of the newest record of a session in `control`, ms. */
const WATERMARK_LEAD_MS = PROTOCOL_TIMES.markLeadMs + TOLERANCE_MS;

/**
 * Check of a session's clock by the time of the log: the newest append time in `control`. After the log's clock was set
 * back, that time and the watermarks lie in the future, and points that were accepted then would be late for as long. A
 * session waits until the log takes its time back, or, for a few seconds, until its clock has caught up.
 *
 * Watermarks advance for a moment while `control` takes no records. So a lane accepts points only at a time that no mark can
 * have stated which a renewal before the session's own records allowed.
 */
export class LogTime {
  readonly #state: ControlState;
  readonly #acceptClock: AcceptClock;
  readonly #openDelayMs: number;
  #from = 0;
  /** Newest append time of a record of another session before this session's own ones, ms. */
  #beforeMs: number;
  /** True once the session's own records were read. */
  #isFixed = false;

  /** `openDelayMs`: a lane accepts points this long after it was opened. */
  constructor(state: ControlState, acceptClock: AcceptClock, openDelayMs: number) {
    this.#state = state;
    this.#acceptClock = acceptClock;
    this.#openDelayMs = openDelayMs;
    this.#beforeMs = newestOf(state);
  }

  /** Call it for each other record of `control` that was read. */
  read(): void {
    if (!this.#isFixed) this.#beforeMs = newestOf(this.#state);
  }

  /** Call it when the registration of the session was read. */
  registered(): void {
    this.#isFixed = true;
  }

  /** The clock was found wrong: other sessions may have continued by the log's earlier time. */
  lost(): void {
    this.#isFixed = false;
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

  /** Returns the era of lanes that open now; undefined while none may open. */
  eraToOpen(): LaneEra | undefined {
    const { nextOffset, eras } = this.#state;
    if (nextOffset < this.#from || this.problem !== undefined) return undefined;
    this.read();
    this.#isFixed = true;
    const acceptsFromMs = this.#acceptClock.nowMs() + this.#openDelayMs;
    if (acceptsFromMs < this.#beforeMs + WATERMARK_LEAD_MS) return undefined;
    return { offset: eras.current, startMs: eras.current === FIRST_ERA ? 0 : eras.startMs };
  }
}

/** Returns the newest append time of a renewal, ms; no later than the time of `control`, which an era takes back. */
function newestOf({ sessions, throughMs }: ControlState): number {
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const { renewedMs } of sessions.values()) newestMs = Math.max(newestMs, renewedMs);
  return Math.min(newestMs, throughMs);
}
