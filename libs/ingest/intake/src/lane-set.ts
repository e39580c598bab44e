import type { Rejection } from '@tidemark/contract';
import { fenceKey } from '@tidemark/control-log';
import { type Appended, type Clock, type Log, TidemarkError } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import type { LaneTiming } from './intake-limits.ts';
import { Lane, type LaneEra } from './lane.ts';
import { RecordLimit } from './record-limit.ts';
import type { QueuedShare } from './share-queue.ts';
import { TagPublisher } from './tag-publisher.ts';

export interface LaneSetOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  /** 16 bytes. */
  readonly session: Uint8Array;
  readonly timing: LaneTiming;
  /** Max bytes queued in one lane. */
  readonly queueBytes: number;
  /** Returns the latest time that a mark may state now, by the session's clock, ms. */
  readonly markLimitMs: () => number;
  /** Returns the number of partitions that need a lane. */
  readonly partitions: () => number;
  /** Returns the era of the session's lanes, or undefined while no lane may open. */
  readonly era: () => LaneEra | undefined;
  /** Called after each append, with the times of sending and ack by the session's clock, and the log's append time. */
  readonly onAppended: (sentMs: number, ackedMs: number, appended: Appended) => void;
  /** Called when a lane ended by itself. Another one opens in its place. */
  readonly onLaneEnded?: (partition: number, reason: string) => void;
  /** Called when the log is full for a lane, and without a reason when it stores records again. */
  readonly onLaneStalled?: (partition: number, reason: string | undefined) => void;
}

/** A lane that ended by itself and is not fenced yet. */
export interface DeadLane {
  readonly partition: number;
  readonly lane: number;
}

/** A lane that closed in the log, with the offset of the record that says so. */
interface ClosedLane extends DeadLane {
  readonly offset: number;
}

/** Closed lanes that are remembered. Consumers have read the records that closed older ones. */
const CLOSED_LANES = 1024;
/** Delay until a dead lane is replaced. */
const REOPEN_MS = 1000;
/**
 * Max delay until lanes that left are replaced. It doubles with each time that they leave soon again: where the clock of
 * one broker is off, the appends to others prove nothing about it, and each lane that opens there leaves at once.
 */
const REOPEN_MAX_MS = 16_000;
/** Lanes that were open for so long left for a new reason. */
const STEADY_MS = 60_000;

/** The lanes of one session, one per partition. It opens them, replaces dead ones, and closes all. */
export class LaneSet {
  readonly #options: LaneSetOptions;
  readonly #lanes = new Map<number, Lane>();
  /** Lanes that `leave` is closing. Their partitions may have other lanes already. */
  readonly #leaving = new Set<Lane>();
  readonly #tags = new Map<number, TagPublisher>();
  readonly #recordLimit: RecordLimit;
  /** Partitions whose lane ended by itself, with the reason, until another lane accepts shares. */
  readonly #lost = new Map<number, TidemarkError>();
  /** Dead lanes by the key of the fence that each waits for. */
  readonly #dead = new Map<string, DeadLane>();
  /** The newest lanes that closed in the log while the session continued, the oldest first. */
  #closed: ClosedLane[] = [];
  #nextLane = 0;
  #openedMs = 0;
  /** Delay until the lanes that left last are replaced, ms. */
  #reopenMs = 0;
  /** True until that delay has passed. */
  #isPaused = false;
  #isClosing = false;
  #isAbandoned = false;

  constructor(options: LaneSetOptions) {
    this.#options = options;
    this.#recordLimit = new RecordLimit(options.timing.recordBytes);
  }

  /** Max bytes of a share. A larger one can't be stored. */
  get shareBytes(): number {
    return Math.min(this.#recordLimit.shareBytes, this.#options.queueBytes);
  }

  /** True when every lane accepts shares, and stores them. */
  get isReady(): boolean {
    return this.#lanes.size > 0 && [...this.#lanes.values()].every((lane) => lane.isAccepting && !lane.isStalled);
  }

  /** A partition for which the log is full: the next share may be refused. */
  get stalled(): number | undefined {
    for (const [partition, lane] of this.#lanes) if (lane.isStalled) return partition;
    return undefined;
  }

  get queuedBytes(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) sum += lane.queuedBytes;
    return sum;
  }

  /** Lanes that ended by themselves and wait for a fence, the oldest first. */
  get dead(): readonly DeadLane[] {
    return [...this.#dead.values()];
  }

  /** Returns the problems of single partitions that accept no points now. */
  problems(): ReadonlyMap<number, TidemarkError> {
    const problems = new Map<number, TidemarkError>();
    for (const [partition, lane] of this.#lanes) {
      if (lane.isAccepting) this.#lost.delete(partition);
      const problem = lane.problem ?? this.#lost.get(partition);
      if (problem !== undefined) problems.set(partition, problem);
    }
    return problems;
  }

  /** Returns why a share of this partition is not accepted now, or could not be stored; undefined without a lane. */
  refusalOf(partition: number): Rejection | undefined {
    return this.#lanes.get(partition)?.refusal;
  }

  /** Accepts a share. Returns false when its lane cannot accept it, and the batch must be sent again. */
  offer(partition: number, share: QueuedShare): boolean {
    return this.#lanes.get(partition)?.offer(share) ?? false;
  }

  /** Returns the publisher of the tags of a partition's series; undefined before its first lane opens. */
  tagsOf(partition: number): TagPublisher | undefined {
    return this.#tags.get(partition);
  }

  /** Opens the missing lanes, if lanes may open. */
  open(): void {
    const { clock, partitions } = this.#options;
    if (this.#isAbandoned || this.#isClosing || this.#isPaused) return;
    const era = this.#options.era();
    if (era === undefined) return;
    const count = partitions();
    if (this.#lanes.size === 0) this.#openedMs = clock.monotonicMs();
    for (let partition = 0; partition < count; partition++) {
      if (!this.#lanes.has(partition)) this.#openLane(partition, era);
    }
  }

  /** Closes all lanes. Others open in their place after a delay, perhaps while these are still closing. */
  leave(): void {
    if (this.#lanes.size === 0) return;
    for (const lane of this.#lanes.values()) {
      this.#leaving.add(lane);
      void lane.close().then(() => lane.state === 'closed' && this.#left(lane));
    }
    this.#lanes.clear();
    const { clock } = this.#options;
    const isSteady = clock.monotonicMs() - this.#openedMs >= STEADY_MS;
    this.#reopenMs = isSteady ? REOPEN_MS : Math.min(REOPEN_MAX_MS, Math.max(REOPEN_MS, 2 * this.#reopenMs));
    this.#isPaused = true;
    clock.setTimer(this.#reopenMs, () => {
      this.#isPaused = false;
      this.open();
    });
  }

  /**
   * Consumers pass lost records of a partition, from `offset` on. Where those may have the record that closed a lane, a fence
   * has to end it: the session continues, so that nothing else would, and completeness would wait for the lane.
   */
  passed(partition: number, offset: number): void {
    const { session } = this.#options;
    for (const { lane, ...closed } of this.#closed) {
      if (closed.partition !== partition || closed.offset < offset) continue;
      this.#dead.set(fenceKey(session, { partition, lane }), { partition, lane });
    }
    this.#closed = this.#closed.filter((lane) => lane.partition !== partition);
  }

  /** Ends all lanes without a record in the log, since their fence has closed them already. */
  abandon(reason: string): void {
    this.#isAbandoned = true;
    for (const lane of this.#all) lane.abandon(reason);
  }

  /**
   * Drains and closes all lanes, and opens no others. Returns true when all have closed in the log and no dead one
   * waits for a fence.
   */
  async close(): Promise<boolean> {
    this.#isClosing = true;
    const lanes = this.#all;
    await Promise.all(lanes.map((lane) => lane.close()));
    return lanes.every((lane) => lane.state === 'closed') && this.#dead.size === 0;
  }

  /** Records that a lane of this session was fenced. */
  fenced(lane: DeadLane): void {
    this.#dead.delete(fenceKey(this.#options.session, lane));
    this.#forgetLeft();
  }

  /** Removes the dead lanes that are among these fences, by key. */
  forgetFenced(fences: { has(key: string): boolean }): void {
    for (const key of this.#dead.keys()) if (fences.has(key)) this.#dead.delete(key);
    this.#forgetLeft();
  }

  /** Forgets the lanes that died while they left, and are fenced. */
  #forgetLeft(): void {
    const { session } = this.#options;
    for (const lane of this.#leaving) {
      const { partition, number, state } = lane;
      if (state === 'dead' && !this.#dead.has(fenceKey(session, { partition, lane: number })))
        this.#leaving.delete(lane);
    }
  }

  #left(lane: Lane): void {
    this.#leaving.delete(lane);
    const { partition, number, closeOffset = 0 } = lane;
    this.#closed.push({ partition, lane: number, offset: closeOffset });
    if (this.#closed.length > CLOSED_LANES) this.#closed.shift();
  }

  get #all(): Lane[] {
    return [...this.#lanes.values(), ...this.#leaving];
  }

  #openLane(partition: number, era: LaneEra): void {
    const { log, clock, acceptClock, session, timing, queueBytes, markLimitMs, onAppended, onLaneStalled } =
      this.#options;
    let tags = this.#tags.get(partition);
    if (tags === undefined) {
      tags = new TagPublisher(log, partition, clock);
      this.#tags.set(partition, tags);
    }
    const lane = new Lane({
      ...{ log, clock, acceptClock, partition, session, tags, timing, queueBytes, markLimitMs, onAppended },
      recordLimit: this.#recordLimit,
      number: this.#nextLane++,
      era,
      onStalled: (_, reason) => onLaneStalled?.(partition, reason),
      onDead: (dead, reason) => this.#died(dead, reason),
    });
    this.#lanes.set(partition, lane);
    lane.start();
  }

  #died(lane: Lane, reason: string): void {
    if (this.#isAbandoned) return;
    const { session, clock, onLaneEnded } = this.#options;
    const { partition, number } = lane;
    onLaneEnded?.(partition, reason);
    this.#lost.set(partition, lane.problem ?? new TidemarkError('unavailable', reason));
    const dead = { partition, lane: number };
    this.#dead.set(fenceKey(session, dead), dead);
    if (this.#isClosing) return;
    clock.setTimer(REOPEN_MS, () => {
      if (this.#lanes.get(partition) === lane) this.#lanes.delete(partition);
      this.open();
    });
  }
}
