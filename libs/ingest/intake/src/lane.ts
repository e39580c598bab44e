import { pointCount } from '@tidemark/columns';
import type { Rejection } from '@tidemark/contract';
import { type BlockRecord, encodeBareRecord, encodeRecord, RECORD, type RecordType } from '@tidemark/point-records';
import {
  type Appended,
  assert,
  type Clock,
  type Log,
  SettlingWriter,
  TidemarkError,
  type Timer,
} from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import type { LaneTiming } from './intake-limits.ts';
import { LaneDictionaries } from './lane-dictionaries.ts';
import { type QueuedShare, ShareQueue } from './share-queue.ts';
import type { TagPublisher } from './tag-publisher.ts';

export interface LaneOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  readonly partition: number;
  /** 16 bytes. */
  readonly session: Uint8Array;
  readonly number: number;
  readonly tags: TagPublisher;
  readonly timing: LaneTiming;
  readonly queueBytes: number;
  /** Told of each append: when it was sent and acked by the session's clock, and the log's own append time. */
  readonly onAppended: (sentMs: number, ackedMs: number, appended: Appended) => void;
  /** Told that the full log has taken nothing for `appendMs`, and with no reason once it does again. */
  readonly onStalled?: (lane: Lane, reason: string | undefined) => void;
  /** Told once, when the lane ended by itself: it needs a fence. */
  readonly onDead: (lane: Lane, reason: string) => void;
}

/** What a block has beside the header fields of every record. */
type BlockContent = Pick<
  BlockRecord,
  'epoch' | 'keyframeOffset' | 'definitions' | 'spans' | 'minTimeMs' | 'maxTimeMs' | 'points'
>;

/** While an append is outstanding, the lane looks this often at what waits too long. */
const LOOK_MS = 1000;
/** A lane that can't leave for this long (or `appendMs`, if that is less) goes without a word, and is fenced. */
const CLOSE_MS = 5000;

type LaneState = 'opening' | 'open' | 'closing' | 'closed' | 'dead';

/**
 * One session's appends to one partition: one outstanding at a time, each with the next sequence and a mark. The mark
 * says: whatever this lane took before it is in this record or an earlier one.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #writer: SettlingWriter;
  readonly #queue = new ShareQueue();
  readonly #dictionaries: LaneDictionaries;
  #state: LaneState = 'opening';
  #sequence = 0;
  #markMs = Number.NEGATIVE_INFINITY;
  #lastRecordMs = 0;
  #acceptsFromMs = Number.POSITIVE_INFINITY;
  /** Shares of the outstanding block that were not answered yet. */
  #sending: readonly QueuedShare[] = [];
  #isStalled = false;
  #wake: (() => void) | undefined;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  /** Ends the outstanding append, for the lane; what becomes of its record is unknown then. */
  #giveUp: ((error: TidemarkError) => void) | undefined;
  /** What it died of. */
  #error: TidemarkError | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#writer = new SettlingWriter(options.log, 'points', options.partition, options.clock);
    this.#dictionaries = new LaneDictionaries(options.timing, options.clock);
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

  /** Appends `open`, then takes shares once its clock is past the opening delay. */
  start(): void {
    assert(this.#running === undefined, 'a lane starts once');
    this.#running = this.#run();
  }

  /** True when a share may be offered now. */
  get isAccepting(): boolean {
    return this.#state === 'open' && this.#options.clock.monotonicMs() >= this.#acceptsFromMs;
  }

  /** Why a share is not taken now, or could not be stored. */
  get refusal(): Rejection {
    const { queueBytes, timing, partition } = this.#options;
    const refusal = (reason: string, field: string, limit: string, why: string): Rejection => {
      return { reason, field, limit, points: 0, message: `points/${partition}: ${why} (limit: ${limit})` };
    };
    const { problem } = this;
    if (problem?.code === 'resource_exhausted') return refusal('log_full', 'log', 'its space', problem.message);
    if (problem !== undefined) {
      return refusal('log_unavailable', 'log', `an append within ${timing.appendMs} ms`, problem.message);
    }
    if (!this.isAccepting) return refusal('lane_opening', 'lane', 'an open lane', 'the lane is not open');
    return refusal('lane_queue_full', 'laneQueueBytes', `${queueBytes} bytes`, 'too many bytes wait for the log');
  }

  /** What it ended of, or what keeps the log from taking its records, while it does. */
  get problem(): TidemarkError | undefined {
    return this.#error ?? this.#problem;
  }

  get #problem(): TidemarkError | undefined {
    return this.#writer.problem ?? this.#options.tags.problem;
  }

  /** Takes a share; false when the lane can't: the batch is then to be sent again. */
  offer(share: QueuedShare): boolean {
    if (!this.isAccepting || this.#queue.bytes + share.span.share.length > this.#options.queueBytes) return false;
    const { clock, timing } = this.#options;
    const dueMs = this.#queue.dueMs;
    this.#queue.push(share, clock.monotonicMs(), timing.lingerMs);
    if (this.#queue.dueMs < dueMs || this.#queue.bytes >= timing.fillBytes) this.#wake?.();
    return true;
  }

  /** Appends what is queued, then `close`; dies when the log does not take that within 5 s. */
  async close(): Promise<void> {
    const { clock, timing } = this.#options;
    if (this.#state === 'open' || this.#state === 'opening') this.#state = 'closing';
    this.#wake?.();
    const timer = clock.setTimer(Math.min(CLOSE_MS, timing.appendMs), () => this.abandon('the log took no close'));
    await this.#running;
    timer.cancel();
  }

  /** Stops without a word to the log, as a fenced session does; queued shares are answered «retry». */
  abandon(reason: string): void {
    if (this.#state === 'closed' || this.#state === 'dead') return;
    this.#die(reason);
    this.#wake?.();
    this.#giveUp?.(new TidemarkError('deadline_exceeded', `points/${this.partition}: ${reason}`));
  }

  async #run(): Promise<void> {
    const { clock, timing } = this.#options;
    try {
      await this.#append(RECORD.open, []);
      this.#acceptsFromMs = clock.monotonicMs() + timing.openDelayMs;
      if (this.#state === 'opening') this.#state = 'open';
      for (;;) {
        await this.#nextWork();
        if (this.#isDead()) return;
        if (!this.#queue.isEmpty) await this.#appendBlock();
        else if (this.#state === 'closing') break;
        else await this.#append(RECORD.mark, []);
      }
      await this.#append(RECORD.close, []);
      this.#state = 'closed';
    } catch (error) {
      this.#die(error instanceof Error ? error.message : String(error));
    } finally {
      this.#timer?.cancel();
    }
  }

  #isDead(): boolean {
    return this.#state === 'dead';
  }

  /** Resolves when a block is due (full, or lingered long enough), a mark is due, or the lane is to end. */
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

  async #appendBlock(): Promise<void> {
    const shares = this.#queue.take(this.#options.timing.blockBytes, this.#options.timing.blockPoints);
    this.#sending = shares;
    try {
      const facts = shares.flatMap((share) => share.facts);
      if (facts.length > 0) await this.#withDeadline((signal) => this.#options.tags.publish(facts, signal));
      await this.#append(RECORD.block, shares);
    } catch (error) {
      this.#settleSending(false);
      throw error;
    }
    this.#settleSending(true);
  }

  /** Answers for the shares of the outstanding block, once. */
  #settleSending(durable: boolean): void {
    const shares = this.#sending;
    this.#sending = [];
    for (const share of shares) share.settle(durable);
  }

  /** One record: its mark is the oldest batch still queued for the lane, or now; the record's own batches don't count. */
  async #append(type: RecordType, shares: readonly QueuedShare[]): Promise<void> {
    const { acceptClock, clock, partition, session, number, tags } = this.#options;
    const sentMs = acceptClock.nowMs();
    this.#markMs = Math.max(this.#markMs, Math.min(sentMs, this.#queue.oldestMs ?? sentMs));
    const header = {
      type,
      partition,
      session,
      lane: number,
      sequence: this.#sequence,
      markMs: this.#markMs,
      tagsOffset: tags.nextOffset,
    };
    const value =
      type === RECORD.block
        ? encodeRecord({ ...header, ...this.#content(shares) })
        : encodeBareRecord({
            ...header,
            epoch: this.#dictionaries.epoch,
            keyframeOffset: this.#dictionaries.keyframeOffset,
          });
    const appended = await this.#withDeadline((signal) => this.#writer.append(value, signal));
    this.#tellStalled(false);
    this.#sequence++;
    this.#lastRecordMs = clock.monotonicMs();
    if (type === RECORD.block) this.#dictionaries.appended(appended.offset);
    this.#options.onAppended(sentMs, acceptClock.nowMs(), appended);
  }

  #tellStalled(isStalled: boolean): void {
    if (this.#isStalled === isStalled) return;
    this.#isStalled = isStalled;
    this.#options.onStalled?.(this, isStalled ? (this.#problem?.message ?? 'the log is full') : undefined);
  }

  #content(shares: readonly QueuedShare[]): BlockContent {
    const { epoch, keyframeOffset, definitions, spans } = this.#dictionaries.write(shares);
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    let points = 0;
    for (const { summary } of shares) {
      minTimeMs = Math.min(minTimeMs, summary.minTimeMs);
      maxTimeMs = Math.max(maxTimeMs, summary.maxTimeMs);
      points += pointCount(summary);
    }
    return { epoch, keyframeOffset, definitions, spans, minTimeMs, maxTimeMs, points };
  }

  /**
   * Gives up on a log that leaves the outcome unknown for too long: the lane must end. A log that is full says that
   * nothing was stored: the lane keeps its record, sequence and mark, and only what waits too long is answered «retry».
   */
  #withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timing, partition, tags } = this.#options;
    const controller = new AbortController();
    const startMs = clock.monotonicMs();
    return new Promise<T>((resolve, reject) => {
      let timer: Timer | undefined;
      const look = (): void => {
        const nowMs = clock.monotonicMs();
        const knownMs = Math.max(startMs, this.#writer.notStoredMs, tags.notStoredMs);
        if (nowMs - knownMs >= timing.appendMs) {
          const why = this.#problem === undefined ? '' : `: ${this.#problem.message}`;
          const message = `partition ${partition}: no append for ${timing.appendMs} ms${why}`;
          const error = new TidemarkError('deadline_exceeded', message);
          this.#error = this.#problem ?? error;
          this.#giveUp?.(error);
          return;
        }
        if (nowMs - startMs >= timing.appendMs) {
          this.#tellStalled(true);
          this.#settleSending(false);
          for (const share of this.#queue.takeQueuedBefore(nowMs - timing.appendMs)) share.settle(false);
        }
        timer = clock.setTimer(Math.max(1, Math.min(LOOK_MS, knownMs + timing.appendMs - nowMs)), look);
      };
      const giveUp = (error: TidemarkError): void => {
        controller.abort();
        reject(error);
      };
      this.#giveUp = giveUp;
      look();
      work(controller.signal)
        .then(resolve, reject)
        .finally(() => {
          timer?.cancel();
          // What comes next may have begun already, and has to be given up in its turn.
          if (this.#giveUp === giveUp) this.#giveUp = undefined;
        });
    });
  }

  #die(reason: string): void {
    if (this.#isDead()) return;
    this.#state = 'dead';
    for (const share of this.#queue.takeAll()) share.settle(false);
    this.#options.onDead(this, reason);
  }
}
