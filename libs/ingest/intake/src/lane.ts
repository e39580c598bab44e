import { releaseBytes } from '@tidemark/bytes';
import { pointCount } from '@tidemark/columns';
import type { Rejection } from '@tidemark/contract';
import {
  type BlockRecord,
  encodeBareRecord,
  encodeRecord,
  RECORD,
  type RecordHeader,
  type RecordType,
  spanBytes,
} from '@tidemark/point-records';
import {
  type Appended,
  assert,
  type Clock,
  isFullLog,
  isMovedError,
  isTidemarkError,
  type Log,
  messageOf,
  SettlingWriter,
  TidemarkError,
  type Timer,
} from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import { fullPart } from './full-log.ts';
import type { LaneTiming } from './intake-limits.ts';
import { LaneDefinitions, type NextDefinitions } from './lane-definitions.ts';
import type { RecordLimit } from './record-limit.ts';
import { type QueuedShare, ShareQueue } from './share-queue.ts';
import type { TagPublisher, TagRecordEntry } from './tag-publisher.ts';

export interface LaneOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  readonly partition: number;
  /** 16 bytes. */
  readonly session: Uint8Array;
  readonly number: number;
  /** The era of the session, which each record names. */
  readonly era: LaneEra;
  readonly tags: TagPublisher;
  /** Returns the latest time that a mark may state now, by the session's clock, ms. */
  readonly markLimitMs: () => number;
  readonly timing: LaneTiming;
  readonly queueBytes: number;
  /** Size of the log's records. It outlives the lane. */
  readonly recordLimit: RecordLimit;
  /** Called after each append, with the times of sending and ack by the session's clock, and the log's append time. */
  readonly onAppended: (sentMs: number, ackedMs: number, appended: Appended) => void;
  /** Called when the log is full, and without a reason when it stores records again. */
  readonly onStalled?: (lane: Lane, reason: string | undefined) => void;
  /** Called once, when the lane ended by itself and needs a fence. */
  readonly onDead: (lane: Lane, reason: string) => void;
}

/** The era of a session: the offset of its decision in `control`, and when it began, ms; 0 of the first. */
export interface LaneEra {
  readonly offset: number;
  readonly startMs: number;
}

/** Content of a block: shares, and definitions that they or the shares of a later block need. */
interface BlockContent {
  readonly shares: readonly QueuedShare[];
  readonly definitions: NextDefinitions;
  /** Time range of the shares for which the definitions are, ms. */
  readonly times: Pick<BlockRecord, 'minTimeMs' | 'maxTimeMs'>;
  /** Accept time of the oldest share that a later block has; undefined for none. */
  readonly heldMs: number | undefined;
}

/** A block that was not stored, and never will be as it is. The lane's sequence is free. */
class Unstorable extends Error {
  /** True when the shares may fit now: blocks became smaller. */
  readonly mayFit: boolean;

  constructor(cause: unknown, mayFit = false) {
    super(messageOf(cause), { cause });
    this.mayFit = mayFit;
  }
}

/** Interval of checks while an append is outstanding. */
const CHECK_MS = 1000;
/** A lane that cannot close for this long (or `appendMs`, if that is less) ends without a record, and is fenced. */
const CLOSE_MS = 5000;

/** Max bytes of the definitions of a block: a store applies them at once. */
const DEFINITIONS_BYTES = 1024 * 1024;

/**
 * A lane that met a full log counts as stalled until a block is stored, or for this long while only smaller records are:
 * those may fit where a block does not.
 */
const STALLED_MS = 10_000;

type LaneState = 'opening' | 'open' | 'closing' | 'closed' | 'dead';

/**
 * Appends of one session to one partition: one outstanding at a time, each with the next sequence and a mark. All data
 * that this lane accepted before the mark is in this record or an earlier one.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #writer: SettlingWriter;
  readonly #queue = new ShareQueue();
  readonly #definitions: LaneDefinitions;
  #closeOffset: number | undefined;
  #state: LaneState = 'opening';
  #sequence = 0;
  #markMs = Number.NEGATIVE_INFINITY;
  #lastRecordMs = 0;
  #acceptsFromMs = Number.POSITIVE_INFINITY;
  /** Shares of the outstanding block that have no answer yet. */
  #sending: readonly QueuedShare[] = [];
  /** Why the log, which is full, stored no record; undefined once it does again. */
  #stall: TidemarkError | undefined;
  /** When the full log last refused a record, monotonic ms. */
  #refusedMs = Number.NEGATIVE_INFINITY;
  /** True from then on until a record is stored: nothing is accepted. */
  #isFull = false;
  /** True while the folder of the log is not in its place: nothing is accepted. */
  #isMoved = false;
  #wake: (() => void) | undefined;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  /** When the newest append began, monotonic ms. */
  #appendFromMs = 0;
  /** Gives up on the outstanding append. The outcome of its record is then unknown. */
  #giveUp: ((error: TidemarkError) => void) | undefined;
  /** Error that ended the lane. */
  #error: TidemarkError | undefined;
  /** Number of shares that are appended one by one, since one of them can't be stored. */
  #apart = 0;
  /** Why a share could not be stored, until another one is. */
  #unstorable: string | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#writer = new SettlingWriter(options.log, 'points', options.partition, options.clock);
    this.#definitions = new LaneDefinitions(options.timing, options.clock);
  }

  get number(): number {
    return this.#options.number;
  }

  get partition(): number {
    return this.#options.partition;
  }

  get state(): LaneState {
    return this.#state;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Appends `open`, then accepts shares once its clock has passed the opening delay. */
  start(): void {
    assert(this.#running === undefined, 'a lane starts once');
    this.#running = this.#run();
  }

  /** True when a share may be offered now. */
  get isAccepting(): boolean {
    return this.#state === 'open' && !this.#isFull && this.#options.clock.monotonicMs() >= this.#acceptsFromMs;
  }

  /** True while the log is full: the next share may be refused, too. */
  get isStalled(): boolean {
    return this.#stall !== undefined;
  }

  /**
   * Why a share is not accepted now, or could not be stored. Senders of every tenant read it, so it has no error of the log,
   * which names folders, brokers and totals: the health of the process has that.
   */
  get refusal(): Rejection {
    const { queueBytes, timing, partition } = this.#options;
    const refusal = (reason: string, field: string, limit: string, why: string, action = '; retry'): Rejection => {
      return { reason, field, limit, points: 0, message: `points/${partition}: ${why} (limit: ${limit})${action}` };
    };
    const { problem } = this;
    if (this.#isMoved) {
      return refusal('log_unavailable', 'log', 'the folder of the log in its place', 'the log accepts nothing now');
    }
    if (isFullLog(problem)) {
      const { what, limit } = fullPart(problem);
      return refusal(
        'log_full',
        'log',
        limit,
        `${what}, so nothing was stored`,
        '; retry, an operator must free space',
      );
    }
    if (problem !== undefined && problem.code !== 'invalid_argument') {
      const waitedMs = Math.round(this.#options.clock.monotonicMs() - this.#appendFromMs);
      const why = `the log accepts nothing now: no append for ${waitedMs} ms`;
      return refusal('log_unavailable', 'log', `an append within ${timing.appendMs} ms`, why);
    }
    if (this.#unstorable !== undefined) {
      return refusal(
        'share_not_stored',
        'share',
        `${this.#options.recordLimit.bytes} bytes a record`,
        this.#unstorable,
        '',
      );
    }
    if (!this.isAccepting) return laneOpening(partition);
    return refusal('lane_queue_full', 'laneQueueBytes', `${queueBytes} bytes`, 'too many bytes are queued for the log');
  }

  /** Offset of the close record; undefined for a lane that has not closed in the log. */
  get closeOffset(): number | undefined {
    return this.#closeOffset;
  }

  /** Error that ended the lane, or that prevents the log from accepting its records now. */
  get problem(): TidemarkError | undefined {
    return this.#error ?? this.#stall ?? this.#problem;
  }

  get #problem(): TidemarkError | undefined {
    return this.#writer.problem ?? this.#options.tags.problem;
  }

  /** Accepts a share. Returns false when the lane cannot accept it, and the batch must be sent again. */
  offer(share: QueuedShare): boolean {
    if (!this.isAccepting || this.#isMoved || this.#queue.bytes + share.span.share.length > this.#options.queueBytes)
      return false;
    const { clock, timing } = this.#options;
    const dueMs = this.#queue.dueMs;
    this.#queue.push(share, clock.monotonicMs(), timing.lingerMs);
    if (this.#queue.dueMs < dueMs || this.#queue.bytes >= timing.fillBytes) this.#wake?.();
    return true;
  }

  /** Appends the queued shares, then `close`. The lane dies when the log does not accept that within 5 s. */
  async close(): Promise<void> {
    const { clock, timing } = this.#options;
    if (this.#state === 'open' || this.#state === 'opening') this.#state = 'closing';
    this.#wake?.();
    const timer = clock.setTimer(Math.min(CLOSE_MS, timing.appendMs), () =>
      this.abandon('the log did not accept the close record'),
    );
    await this.#running;
    timer.cancel();
  }

  /** Stops without a record in the log, as a fenced session must. Queued shares are answered with `retry`. */
  abandon(reason: string): void {
    if (this.#state === 'closed' || this.#state === 'dead') return;
    this.#die(reason);
    this.#wake?.();
    this.#giveUp?.(new TidemarkError('deadline_exceeded', `points/${this.partition}: ${reason}`));
  }

  async #run(): Promise<void> {
    const { clock, timing } = this.#options;
    try {
      await this.#append(RECORD.open);
      this.#acceptsFromMs = clock.monotonicMs() + timing.openDelayMs;
      if (this.#state === 'opening') this.#state = 'open';
      for (;;) {
        await this.#nextWork();
        if (this.#isDead()) return;
        if (!this.#queue.isEmpty) await this.#appendBlock();
        else if (this.#state === 'closing') break;
        else await this.#append(RECORD.mark);
      }
      this.#closeOffset = await this.#append(RECORD.close);
      this.#state = 'closed';
    } catch (error) {
      this.#die(messageOf(error));
    } finally {
      this.#timer?.cancel();
    }
  }

  #isDead(): boolean {
    return this.#state === 'dead';
  }

  /** Resolves when a block is due (full, or lingered long enough), a mark is due, or the lane must end. */
  async #nextWork(): Promise<void> {
    for (let waitMs = this.#dueInMs(); waitMs > 0; waitMs = this.#dueInMs()) await this.#wait(waitMs);
  }

  #dueInMs(): number {
    const { timing, clock } = this.#options;
    if (this.#state !== 'open' || this.#queue.bytes >= timing.fillBytes) return 0;
    const dueMs = this.#queue.isEmpty ? this.#lastRecordMs + timing.markMs : this.#queue.dueMs;
    return dueMs - clock.monotonicMs();
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#timer?.cancel();
        this.#wake = undefined;
        resolve();
      };
      this.#timer = this.#options.clock.setTimer(delayMs, done);
      this.#wake = done;
    });
  }

  /** Appends the oldest shares, with their tags and definitions before them. */
  async #appendBlock(): Promise<void> {
    const { tags, timing, recordLimit } = this.#options;
    const shares = this.#queue.take({
      bytes: timing.blockBytes,
      points: timing.blockPoints,
      shares: this.#apart > 0 ? 1 : Number.POSITIVE_INFINITY,
      spanBytes: recordLimit.bodyBytes,
    });
    this.#apart = Math.max(0, this.#apart - shares.length);
    this.#sending = shares;
    try {
      const entries = shares.flatMap((share) => share.entries);
      if (entries.length > 0) await this.#withDeadline((signal) => publishTags(tags, entries, signal));
      await this.#appendShares(shares);
    } catch (error) {
      if (error instanceof Unstorable) return this.#setApart(error);
      // The next record is a mark, which is repeated until the log stores it.
      if (isFullLog(error)) return this.#refuseAll(error);
      this.#settleSending(false);
      throw error;
    }
    this.#unstorable = undefined;
    this.#settleSending(true);
  }

  /** Appends the definitions that do not fit together with the shares in blocks of their own, then the shares. */
  async #appendShares(shares: readonly QueuedShare[]): Promise<void> {
    const { recordLimit } = this.#options;
    const times = timesOf(shares);
    const heldMs = shares[0].acceptMs;
    this.#definitions.begin();
    for (;;) {
      const definitions = this.#definitions.next(shares, Math.min(DEFINITIONS_BYTES, recordLimit.bodyBytes));
      const bodyBytes = shares.reduce((size, { span }) => size + spanBytes(span), definitions.sizeBytes);
      if (definitions.isComplete && bodyBytes <= recordLimit.bodyBytes) {
        await this.#append(RECORD.block, { shares, definitions, times, heldMs: undefined });
        return;
      }
      if (definitions.sizeBytes === 0) throw new Unstorable(recordLimit.tooLarge(bodyBytes));
      await this.#append(RECORD.block, { shares: [], definitions, times, heldMs });
    }
  }

  /** Appends the shares of the outstanding block in others, one by one if need be, or leaves out a single one. */
  #setApart({ message, mayFit }: Unstorable): void {
    const shares = this.#sending;
    if (mayFit || shares.length > 1) {
      this.#sending = [];
      this.#queue.putBack(shares, this.#options.clock.monotonicMs());
      if (!mayFit) this.#apart = Math.max(this.#apart, shares.length);
      return;
    }
    this.#unstorable = message;
    this.#settleSending(false);
  }

  /** Answers the shares of the outstanding block, once. */
  #settleSending(durable: boolean): void {
    const shares = this.#sending;
    this.#sending = [];
    for (const share of shares) share.settle(durable);
  }

  /**
   * Appends one record. Its mark is the accept time of the oldest batch that no record has yet, or now, without the
   * record's own batches, and at most `markLimitMs`. Returns its offset. Throws `Unstorable` for a block that the log
   * refuses by its size, or that can't be encoded.
   */
  async #append(type: RecordType, content?: BlockContent): Promise<number> {
    const { acceptClock, clock, partition, session, number, era, tags, recordLimit } = this.#options;
    const sentMs = acceptClock.nowMs();
    const limitMs = Math.min(sentMs, this.#options.markLimitMs());
    const oldestMs = Math.min(limitMs, this.#queue.oldestMs ?? limitMs, content?.heldMs ?? limitMs);
    const markMs = Math.max(this.#markMs, oldestMs);
    const header = {
      type,
      partition,
      session,
      lane: number,
      epoch: this.#definitions.epoch,
      sequence: this.#sequence,
      markMs,
      tagsOffset: tags.nextOffset,
      keyframeOffset: this.#definitions.keyframeOffset,
      era: era.offset,
      eraStartMs: era.startMs,
    };
    const value = content === undefined ? encodeBareRecord(header) : this.#encodeBlock(header, content);
    const isFinal = (error: TidemarkError, mayBeStored: boolean): boolean => {
      if (!isFullLog(error) || mayBeStored) return false;
      this.#refuseAll(error);
      return content !== undefined;
    };
    const appended = await this.#withDeadline((signal) => this.#writer.append(value, signal, isFinal)).catch(
      (error) => {
        if (content === undefined || !isTidemarkError(error, 'invalid_argument')) throw error;
        // The log refuses less than its setting says. The blocks of this lane, and of those after it, become smaller.
        if (!recordLimit.refused(value.length)) throw error;
        throw new Unstorable(error, true);
      },
    );
    // Each log has copied it. Otherwise tens of MiB of records wait for a collection.
    releaseBytes(value);
    this.#isFull = false;
    const isSettled = content !== undefined || clock.monotonicMs() - this.#refusedMs >= STALLED_MS;
    if (isSettled) this.#reportStall(undefined);
    // Only now: the batches of a block that was refused wait again, and the next record has them or a mark before them.
    this.#markMs = markMs;
    this.#sequence++;
    this.#lastRecordMs = clock.monotonicMs();
    if (content !== undefined) this.#definitions.appended(appended.offset, content.definitions);
    this.#options.onAppended(sentMs, acceptClock.nowMs(), appended);
    return appended.offset;
  }

  #encodeBlock(header: RecordHeader, { shares, definitions: { definitions }, times }: BlockContent): Buffer {
    try {
      const spans = shares.map((share) => ({ ...share.span, dictionary: this.#definitions.numberOf(share) }));
      const points = shares.reduce((sum, { summary }) => sum + pointCount(summary), 0);
      return encodeRecord({ ...header, ...times, points, definitions, spans });
    } catch (error) {
      throw new Unstorable(error);
    }
  }

  /** Answers all shares with `retry`, because the log is full and has certainly stored none of them. */
  #refuseAll(error: TidemarkError): void {
    this.#isFull = true;
    this.#refusedMs = this.#options.clock.monotonicMs();
    this.#reportStall(error);
    this.#settleAll();
  }

  #reportStall(stall: TidemarkError | undefined): void {
    const isNew = (this.#stall === undefined) !== (stall === undefined);
    this.#stall = stall;
    if (isNew) this.#options.onStalled?.(this, stall?.message);
  }

  /**
   * Runs `work` with a deadline. If the log leaves the outcome unknown for too long, the lane must end. A full log
   * reports that it stored nothing: a record without shares is then repeated, however long it takes. While the folder of the
   * log is not in its place, all shares are answered with `retry` at the next check: it takes a person to move it back.
   */
  #withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timing, partition } = this.#options;
    const controller = new AbortController();
    const startMs = clock.monotonicMs();
    this.#appendFromMs = startMs;
    return new Promise<T>((resolve, reject) => {
      let timer: Timer | undefined;
      const check = (): void => {
        const nowMs = clock.monotonicMs();
        const knownMs = Math.max(startMs, this.#writer.notStoredMs);
        if (nowMs - knownMs >= timing.appendMs) {
          const why = this.#problem === undefined ? '' : `: ${this.#problem.message}`;
          const message = `partition ${partition}: no append for ${timing.appendMs} ms${why}`;
          const error = new TidemarkError('deadline_exceeded', message);
          this.#error = this.#problem ?? error;
          this.#giveUp?.(error);
          return;
        }
        if (isMovedError(this.#problem)) {
          this.#isMoved = true;
          this.#settleAll();
        }
        timer = clock.setTimer(Math.max(1, Math.min(CHECK_MS, knownMs + timing.appendMs - nowMs)), check);
      };
      const giveUp = (error: TidemarkError): void => {
        controller.abort();
        reject(error);
      };
      this.#giveUp = giveUp;
      check();
      work(controller.signal)
        .then(resolve, reject)
        .finally(() => {
          timer?.cancel();
          this.#isMoved = false;
          // The next append may have begun already and has its own way to give up.
          if (this.#giveUp === giveUp) this.#giveUp = undefined;
        });
    });
  }

  /** Answers the shares of the outstanding block, and the queued ones, with `retry`. */
  #settleAll(): void {
    this.#settleSending(false);
    for (const share of this.#queue.takeAll()) share.settle(false);
  }

  #die(reason: string): void {
    if (this.#isDead()) return;
    this.#state = 'dead';
    for (const share of this.#queue.takeAll()) share.settle(false);
    this.#options.onDead(this, reason);
  }
}

/** Refusal of a share whose partition has no lane that accepts shares yet. */
export function laneOpening(partition: number): Rejection {
  const limit = 'an open lane';
  const message = `points/${partition}: the intake is opening its lanes (limit: ${limit}); retry`;
  return { reason: 'lane_opening', field: 'lane', limit, points: 0, message };
}

/** Publishes tags. Throws `Unstorable` for those that fit no record. */
async function publishTags(tags: TagPublisher, entries: readonly TagRecordEntry[], signal: AbortSignal): Promise<void> {
  try {
    await tags.publish(entries, signal);
  } catch (error) {
    throw isTidemarkError(error, 'invalid_argument') ? new Unstorable(error) : error;
  }
}

function timesOf(shares: readonly QueuedShare[]): BlockContent['times'] {
  let minTimeMs = Number.POSITIVE_INFINITY;
  let maxTimeMs = Number.NEGATIVE_INFINITY;
  for (const { summary } of shares) {
    minTimeMs = Math.min(minTimeMs, summary.minTimeMs);
    maxTimeMs = Math.max(maxTimeMs, summary.maxTimeMs);
  }
  return { minTimeMs, maxTimeMs };
}
