import { toHex } from '@tidemark/bytes';
import { type ControlFollower, type ControlMessage, ControlWriter } from '@tidemark/control-log';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { type Appended, type Clock, isFullLog, isTidemarkError, type Log, sleep, TidemarkError } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import { fullPart } from './full-log.ts';
import type { DeadLane } from './lane-set.ts';

export interface SessionLeaseOptions {
  readonly log: Log;
  readonly control: Pick<ControlFollower, 'state' | 'reached'>;
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  /** 16 bytes. */
  readonly session: Uint8Array;
  /** Name of this process in `status`. */
  readonly process: string;
  /** Returns the lanes to name in a renewal until they are fenced, the oldest first. */
  readonly deadLanes: () => readonly DeadLane[];
  /** Called after each append, with the times of sending and ack by the session's clock, and the log's append time. */
  readonly onAppended: (sentMs: number, ackedMs: number, appended: Appended) => void;
  /** Called once, when the session was fenced. */
  readonly onFenced: (reason: string) => void;
  /** Stops the renewals. */
  readonly signal: AbortSignal;
}

const { renewMs: RENEW_MS, lapseMs: RENEWAL_LAPSE_MS, markLeadMs: MARK_LEAD_MS } = PROTOCOL_TIMES;
/** Max dead lanes in one renewal, the oldest first. The others wait for the fences of these. */
const RENEWAL_DEAD_LANES = 64;

/** Records of a session in `control`: it registers, renews each second, reads its own fence, and ends. */
export class SessionLease {
  readonly #options: SessionLeaseOptions;
  readonly #key: string;
  readonly #writer: ControlWriter;
  /** Monotonic ms at which the last acknowledged renewal was sent. */
  #renewedMs = Number.NEGATIVE_INFINITY;
  /** Time of the session's clock at which the newest acknowledged record was sent, ms. */
  #statedMs = Number.NEGATIVE_INFINITY;
  #fenced: string | undefined;
  #registeredOffset = Number.POSITIVE_INFINITY;
  /** Offset of the newest acknowledged record. */
  #ackedOffset = -1;
  #renewing: Promise<void> | undefined;
  /** Callers that wait for a renewal that is sent after their call. */
  readonly #waiting = new Set<(offset: number) => void>();

  constructor(options: SessionLeaseOptions) {
    this.#options = options;
    this.#key = toHex(options.session);
    this.#writer = new ControlWriter(options.log, options.clock);
  }

  /** Why a fence ended the session; undefined without a fence. */
  get fenced(): string | undefined {
    return this.#fenced;
  }

  /**
   * True while the session is open in `control`, as far as it was read. Only then may it open lanes: an era that it reads
   * together with its own end is not its own, and no fence would end lanes that name it.
   */
  get isOpen(): boolean {
    return this.#fenced === undefined && this.#options.control.state.sessions.get(this.#key)?.state === 'open';
  }

  /** Offset in `control` of the newest record that was acknowledged to this session; -1 before any. */
  get ackedOffset(): number {
    return this.#ackedOffset;
  }

  /**
   * The latest time, by the session's clock, ms, that a mark may state now. While `control` takes no records, watermarks stop:
   * a clock that steps back meanwhile is then seen in `control` by nearly its whole step.
   */
  get markLimitMs(): number {
    return this.#statedMs + MARK_LEAD_MS;
  }

  /** Why the lease may have lapsed, or undefined. */
  get lapse(): string | undefined {
    const lapseMs = this.#options.clock.monotonicMs() - this.#renewedMs;
    if (lapseMs <= RENEWAL_LAPSE_MS) return undefined;
    if (!Number.isFinite(lapseMs)) return 'the session of the intake is not registered yet; retry';
    const forMs = `no renewal acknowledged for ${Math.round(lapseMs)} ms`;
    return `${forMs}${fullness(this.#writer.repeated) ?? ` (limit: ${RENEWAL_LAPSE_MS} ms); retry`}`;
  }

  /**
   * Registers, then renews until the signal aborts. Resolves once `control` was read up to the registration: the era of
   * the session is then known. Rejects when the log does not accept the registration.
   */
  async start(): Promise<void> {
    const { session, process, clock, control, signal } = this.#options;
    await this.#append({ $case: 'registered', value: { session: Buffer.from(session), process } });
    this.#registeredOffset = this.#ackedOffset;
    this.#renewedMs = clock.monotonicMs();
    this.#renewing = this.#renew();
    await control.reached(this.#registeredOffset, signal);
    // It may have been read already, together with what ended the session.
    this.checkState();
  }

  /**
   * Resolves when `control` was read up to a renewal that was sent after the call, so up to all that was decided before it.
   * Throws `unavailable` when that takes longer than the lease lasts, or the session ends.
   */
  async reachedNow(): Promise<void> {
    const { clock, control, signal } = this.#options;
    const renewed = Promise.withResolvers<number | undefined>();
    const late = new AbortController();
    const timer = clock.setTimer(RENEWAL_LAPSE_MS, () => late.abort());
    const within = AbortSignal.any([signal, late.signal]);
    within.addEventListener('abort', () => renewed.resolve(undefined), { once: true });
    if (within.aborted) renewed.resolve(undefined);
    this.#waiting.add(renewed.resolve);
    try {
      const offset = await renewed.promise;
      if (offset === undefined)
        throw new TidemarkError(
          'unavailable',
          `control was not read up to its end within ${RENEWAL_LAPSE_MS} ms; retry`,
        );
      await control.reached(offset, within);
    } finally {
      timer.cancel();
      this.#waiting.delete(renewed.resolve);
    }
  }

  /** Resolves when no renewal is outstanding, after the signal has aborted. */
  async stopped(): Promise<void> {
    await this.#renewing;
  }

  /** Ends the session in `control`. If the log does not accept that before `signal` aborts, the session is fenced. */
  async end(signal: AbortSignal): Promise<void> {
    try {
      const value = { session: Buffer.from(this.#options.session) };
      await this.#writer.append({ $case: 'ended', value }, signal);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
    }
  }

  /** Records that the session was fenced: its promises are void. */
  fence(reason: string): void {
    if (this.#fenced !== undefined) return;
    this.#fenced = reason;
    this.#options.onFenced(reason);
  }

  /**
   * Checks whether the session is over by the state of `control`: when an era begins, all sessions are. A checkpoint may
   * replace records that were trimmed before they were read, also the fence.
   */
  checkState(): void {
    const { fences, sessions, nextOffset } = this.#options.control.state;
    const known = sessions.get(this.#key);
    const fence = fences.get(this.#key);
    if (nextOffset <= this.#registeredOffset || (fence === undefined && known?.state === 'open')) return;
    if (fence !== undefined) this.fence(`fenced: ${fence.reason}`);
    else this.fence(known === undefined ? 'fenced: long ago' : 'fenced: the log took its time back');
  }

  async #renew(): Promise<void> {
    const { session, clock, deadLanes, signal } = this.#options;
    while (!signal.aborted && this.#fenced === undefined) {
      try {
        const value = { session: Buffer.from(session), deadLanes: deadLanes().slice(0, RENEWAL_DEAD_LANES) };
        const sentMs = clock.monotonicMs();
        const waiting = [...this.#waiting];
        await this.#append({ $case: 'renewed', value });
        this.#renewedMs = sentMs;
        for (const resolve of waiting) resolve(this.#ackedOffset);
      } catch {
        // The lease was not renewed: nothing is accepted after 5 s, and the coordinator fences after 10 s. The next
        // turn retries.
      }
      await sleep(clock, RENEW_MS, signal);
    }
  }

  async #append(message: ControlMessage): Promise<void> {
    const { acceptClock, signal, onAppended } = this.#options;
    const sentMs = acceptClock.nowMs();
    const appended = await this.#writer.append(message, signal);
    this.#ackedOffset = appended.offset;
    this.#statedMs = sentMs;
    onAppended(sentMs, acceptClock.nowMs(), appended);
  }
}

function fullness(error: TidemarkError | undefined): string | undefined {
  if (!isFullLog(error)) return undefined;
  const { what, limit } = fullPart(error);
  return `: ${what} (limit: ${limit}); retry, an operator must free space`;
}
