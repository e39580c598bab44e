import { hashApiKey, newApiKey } from '@tidemark/access';
import { toHex } from '@tidemark/bytes';
import type { KeyDecision, SeriesCount } from '@tidemark/contract';
import {
  budgetKey,
  budgetOf,
  type ControlFollower,
  type ControlMessage,
  ControlWriter,
  type DeadLaneInfo,
  type FenceInfo,
  type SessionInfo,
} from '@tidemark/control-log';
import { evenMap, packSlots, SLOTS } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { type Clock, isTidemarkError, type Log, limitError, type Random, sleep, TidemarkError } from '@tidemark/ports';
import { FenceAppender } from './fence-appender.ts';

/**
 * Maps are kept for good, 2 KiB each: answers over old times ask the partitions that the maps of then name, and points
 * have no end. A checkpoint, which has them all, must fit into a record of the log.
 */
const MOST_MAPS = 1000;

export interface CoordinatorOptions {
  readonly log: Log;
  readonly control: ControlFollower;
  readonly clock: Clock;
  readonly random: Random;
  readonly process: string;
  /** Partitions of the first map; later ones come by decisions. */
  readonly partitions: number;
  /** Series a tenant, and a metric, may have. */
  readonly tenantSeries: number;
  readonly metricSeries: number;
  /** Counts of the tag stores, asked every few seconds. */
  readonly seriesCounts: () => Promise<readonly SeriesCount[]>;
  /**
   * True where nobody but this process tree can hold a session (one locked data folder): then sessions that are open
   * in `control` at the start are dead, and are fenced at once.
   */
  readonly isAlone: boolean;
  /** Records of `control` between two checkpoints (default 10,000): what a reader has to replay at most, or about so. */
  readonly checkpointRecords?: number;
}

const CHECKPOINT_RECORDS = 10_000;

const TURN_MS = 500;
const LEASE_MS = PROTOCOL_TIMES.leaseMs;
const BUDGET_MS = 2000;
/** An over-budget verdict is taken back only when the count is this far below the limit, so that it does not flap. */
const BUDGET_RELEASE = 0.95;

/**
 * Decides what one must decide: the map, fences of sessions that stopped renewing, skips, budgets, keys. Every decision
 * is a record in `control` under this coordinator's term; a successor's higher term makes later ones of it void.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #writer: ControlWriter;
  readonly #fences: FenceAppender;
  readonly #renewedMs = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #copying = new AbortController();
  #term = 0;
  #running: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;
  #lastError: string | undefined;
  #trimmed = -1;
  #budgetsMs = Number.NEGATIVE_INFINITY;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#writer = new ControlWriter(options.log, options.clock);
    this.#fences = new FenceAppender(options.log, options.clock);
  }

  /** What stands in its way, for status; undefined when nothing does. */
  get problem(): string | undefined {
    return this.#lastError ?? this.#fences.problem;
  }

  /** Claims a term, sees to a first map, and goes on in the background: copies of fences take as long as they take. */
  async start(): Promise<void> {
    const { control, process, partitions, clock, isAlone } = this.#options;
    await this.#claimTerm(process);
    if (control.state.map === undefined) {
      const map = evenMap(partitions);
      const wire = { epoch: map.epoch, partitions: map.partitions, slots: packSlots(map) };
      await this.#decide({ $case: 'map', value: { term: this.#term, expectedEpoch: 0, map: wire } });
    }
    const nowMs = clock.monotonicMs();
    for (const session of control.state.sessions.values()) this.#renewedMs.set(session.key, nowMs);
    this.#unlisten = control.listen((message) => this.#heard(message));
    if (isAlone) {
      for (const session of [...control.state.sessions.values()]) {
        if (session.state === 'open') await this.#fence(session.session, undefined, 'its process is gone');
      }
    }
    this.#running = this.#run();
  }

  /** Claims the next term, until no other claim of the same term was first. */
  async #claimTerm(process: string): Promise<void> {
    const { control } = this.#options;
    for (;;) {
      this.#term = control.state.term + 1;
      const { offset } = await this.#writer.append(
        { $case: 'term', value: { term: this.#term, process } },
        this.#stop.signal,
      );
      await control.reached(offset, this.#stop.signal);
      if (control.state.termOffset >= offset) return;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#copying.abort();
    this.#unlisten?.();
    await this.#running;
  }

  /** Lets the consumers of a halted partition pass one record; the gap is permanent and shown. */
  async skip(topic: string, partition: number, offset: number, reason: string): Promise<void> {
    await this.#decide({ $case: 'skip', value: { term: this.#term, topic, partition, offset, reason } });
  }

  /**
   * Decides the next map: for each slot its partition, of `partitions` in all. It comes into force a little later; what
   * was stamped before keeps its map. `invalid_argument` for a table that can't be, `resource_exhausted` when there are too
   * many, `failed_precondition` when another decision was first.
   */
  async assignSlots(partitions: number, slots: Uint16Array): Promise<void> {
    const { state } = this.#options.control;
    const { epoch, partitions: least } = state.map ?? { epoch: 0, partitions: 1 };
    if (partitions < least || slots.length !== SLOTS || slots.some((partition) => partition >= partitions)) {
      const limit = `${SLOTS} slots, each below partitions, which never get fewer than ${least}`;
      throw limitError('slots', `${slots.length} slots of ${partitions}`, limit);
    }
    if (state.maps.size >= MOST_MAPS) {
      const message = `maps: ${state.maps.size} were decided (limit: ${MOST_MAPS}): every checkpoint has all of them`;
      throw new TidemarkError('resource_exhausted', message, { field: 'maps', limit: MOST_MAPS });
    }
    const map = { epoch: epoch + 1, partitions, slots };
    const value = { term: this.#term, expectedEpoch: epoch, map: { ...map, slots: packSlots(map) } };
    await this.#decide({ $case: 'map', value });
  }

  /** Makes a key and stores its hash; the key itself is returned once. A key of the same name is replaced. */
  async createKey(tenant: string, name: string, scopes: readonly string[]): Promise<string> {
    const key = newApiKey(this.#options.random);
    await this.#decideKey({ tenant, name, keyHash: hashApiKey(key), scopes: [...scopes], revoked: false });
    return key;
  }

  /** `not_found` when the tenant has no key of that name. */
  async revokeKey(tenant: string, name: string): Promise<void> {
    const keys = [...this.#options.control.state.keys.values()];
    if (!keys.some((key) => key.tenant === tenant && key.name === name)) {
      throw new TidemarkError('not_found', `tenant ${tenant} has no key ${name}`);
    }
    await this.#decideKey({ tenant, name, keyHash: Buffer.alloc(0), scopes: [], revoked: true });
  }

  #decideKey(decision: Omit<KeyDecision, 'term'>): Promise<void> {
    return this.#decide({ $case: 'key', value: { term: this.#term, ...decision } });
  }

  get #isOver(): boolean {
    return this.#options.control.state.term > this.#term;
  }

  get #overMessage(): string {
    return `term ${this.#term} is over: another coordinator took over`;
  }

  /** Appends a decision and waits until this process has read it back. */
  async #decide(message: ControlMessage): Promise<void> {
    const { offset } = await this.#writer.append(message, this.#stop.signal);
    await this.#options.control.reached(offset, this.#stop.signal);
    if (this.#isOver) throw new TidemarkError('failed_precondition', this.#overMessage);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const signal = this.#stop.signal;
    while (!signal.aborted) {
      try {
        await this.#turn();
        this.#lastError = undefined;
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        this.#lastError = error.message;
      }
      if (this.#isOver) {
        this.#lastError = this.#overMessage;
        // The successor copies what is not copied yet.
        this.#copying.abort();
        return;
      }
      await sleep(clock, TURN_MS, signal);
    }
  }

  async #turn(): Promise<void> {
    const { control, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#expired(nowMs).length > 0) {
      // A coordinator that was cut off or stood still has renewals to read first: silence was its own then.
      const { next } = await log.bounds('control', 0);
      await control.reached(next - 1, this.#stop.signal);
      for (const { session } of this.#expired(nowMs)) {
        await this.#fence(session, undefined, `no renewal for ${LEASE_MS / 1000} s`);
      }
    }
    for (const dead of [...control.state.deadLanes.values()]) {
      await this.#fence(dead.session, dead, 'its session named it dead');
    }
    await this.#completeFences();
    if (nowMs - this.#budgetsMs >= BUDGET_MS) {
      this.#budgetsMs = nowMs;
      await this.#judgeBudgets();
    }
    await this.#checkpoint();
  }

  #expired(nowMs: number): SessionInfo[] {
    return [...this.#options.control.state.sessions.values()].filter(({ key, state }) => {
      return state === 'open' && nowMs - (this.#renewedMs.get(key) ?? nowMs) > LEASE_MS;
    });
  }

  /** The decision in `control`; its copies follow, by this coordinator or a successor. */
  async #fence(session: Uint8Array, lane: DeadLaneInfo | undefined, reason: string): Promise<void> {
    const value = {
      term: this.#term,
      session: Buffer.from(session),
      lane: lane === undefined ? undefined : { partition: lane.partition, lane: lane.lane },
      reason,
    };
    await this.#decide({ $case: 'fence', value });
    this.#sendFences();
  }

  #sendFences(): FenceInfo[] {
    const { map, fences } = this.#options.control.state;
    if (map === undefined) return [];
    const pending = [...fences.values()].filter(({ completed }) => !completed);
    return this.#fences.advance(pending, map.partitions, this.#copying.signal);
  }

  async #completeFences(): Promise<void> {
    for (const fence of this.#sendFences()) {
      const value = { term: this.#term, session: Buffer.from(fence.session), lane: fence.lane };
      await this.#decide({ $case: 'fenceCompleted', value });
    }
  }

  /**
   * When enough records came since the last checkpoint, appends one; what lies before one that counts is let go of. A
   * record that slips in before it makes it void: the next turn tries again.
   */
  async #checkpoint(): Promise<void> {
    const { control, log, checkpointRecords = CHECKPOINT_RECORDS } = this.#options;
    const { state } = control;
    if (state.nextOffset - (state.checkpointOffset + 1) >= checkpointRecords) {
      const { next } = await log.bounds('control', 0);
      await control.reached(next - 1, this.#stop.signal);
      if (this.#isOver) return;
      await this.#decide({ $case: 'checkpoint', value: state.checkpoint() });
    }
    if (state.checkpointOffset <= this.#trimmed) return;
    const before = state.checkpointOffset;
    await log.trim('control', 0, before);
    this.#trimmed = before;
  }

  async #judgeBudgets(): Promise<void> {
    const { control, seriesCounts, tenantSeries, metricSeries } = this.#options;
    const counts = new Map((await seriesCounts()).map((count) => [budgetKey(count.tenant, count.metric), count]));
    // What is over and not reported any more has fallen far below its limit.
    for (const key of control.state.overBudget.keys()) {
      if (!counts.has(key)) counts.set(key, { ...budgetOf(key), series: 0 });
    }
    for (const [key, { tenant, metric, series }] of counts) {
      const limit = metric === '' ? tenantSeries : metricSeries;
      const isOver = control.state.overBudget.has(key);
      const over = isOver ? series > limit * BUDGET_RELEASE : series >= limit;
      if (over === isOver) continue;
      await this.#decide({ $case: 'budget', value: { term: this.#term, tenant, metric, limit, over } });
    }
  }

  #heard(message: ControlMessage): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (message.$case === 'checkpoint') {
      // It may tell of sessions whose own records were trimmed, and forget others.
      const { sessions } = this.#options.control.state;
      for (const key of this.#renewedMs.keys()) if (!sessions.has(key)) this.#renewedMs.delete(key);
      for (const key of sessions.keys()) if (!this.#renewedMs.has(key)) this.#renewedMs.set(key, nowMs);
    }
    if (message.$case !== 'renewed' && message.$case !== 'registered') return;
    this.#renewedMs.set(toHex(message.value.session), nowMs);
  }
}
