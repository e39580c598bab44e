import { hashApiKey, newApiKey } from '@tidemark/access';
import { toHex } from '@tidemark/bytes';
import type { KeyDecision, SeriesCount } from '@tidemark/contract';
import {
  budgetKey,
  budgetOf,
  type ControlMessage,
  ControlWriter,
  type DeadLaneInfo,
  type Era,
  type FenceInfo,
  type SessionInfo,
} from '@tidemark/control-log';
import { evenMap, packSlots, SLOTS } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { type Appended, isTidemarkError, limitError, type Random, sleep, TidemarkError } from '@tidemark/ports';
import { AbandonedLanes } from './abandoned-lanes.ts';
import { CheckpointAppender, type CheckpointOptions } from './checkpoint-appender.ts';
import { EraRepeats } from './era-repeats.ts';
import { FenceAppender } from './fence-appender.ts';
import { judgeHalts } from './halted-partitions.ts';
import { SetBackCheck } from './set-back-check.ts';
import type { StorePosition } from './store-position.ts';

/**
 * Maps are kept permanently, 2 KiB each: queries over old times use the maps of that time, and points never expire. Every
 * checkpoint contains all maps, and every process has them in memory.
 */
const MAX_MAPS = 1000;
/** Max keys of a tenant: every process keeps all keys in memory. */
const MAX_KEYS = 1000;

export interface CoordinatorOptions extends CheckpointOptions {
  readonly random: Random;
  readonly process: string;
  /** Partitions of the first map; later maps are decided by `assignSlots`. */
  readonly partitions: number;
  /** Budgets: series per tenant, and series per metric. */
  readonly tenantSeries: number;
  readonly metricSeries: number;
  /** Series counts of the tag stores; called every few seconds. */
  readonly seriesCounts: () => Promise<readonly SeriesCount[]>;
  /** Positions of the stores of points and tags that answer; called every few seconds. */
  readonly storePositions?: (signal: AbortSignal) => Promise<readonly StorePosition[]>;
  /**
   * True where only this process can hold a session (one locked data folder): then sessions that are open in `control`
   * at the start are dead, and are fenced at once.
   */
  readonly isAlone: boolean;
}

const TURN_MS = 500;
const LEASE_MS = PROTOCOL_TIMES.leaseMs;
/** Time within which a session reads its fence, ms. */
const UNAWARE_MS = 5000;
/** Interval between two judgements of what the stores report. */
const STORES_MS = 2000;
/** An over-budget verdict is revoked only when the count is below this share of the limit, so that it does not flap. */
const BUDGET_RELEASE = 0.95;

/**
 * Makes the cluster-wide decisions: the map, fences of sessions that stopped renewing, skips, budgets, halts, keys, and that
 * the log takes its time back. Every decision is a record in `control` under this coordinator's term; a successor's higher
 * term makes its later records void.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #writer: ControlWriter;
  readonly #fences: FenceAppender;
  readonly #setBackCheck: SetBackCheck;
  readonly #eraRepeats: EraRepeats;
  readonly #checkpoints: CheckpointAppender;
  readonly #abandoned = new AbandonedLanes();
  readonly #renewedMs = new Map<string, number>();
  /** Sessions that renew although they are fenced, and since when. */
  readonly #unaware = new Map<string, number>();
  /** Those of them that have done so for too long. */
  readonly #unawareDue = new Set<string>();
  readonly #stop = new AbortController();
  readonly #copying = new AbortController();
  #term = 0;
  #running: Promise<unknown> | undefined;
  #unlisten: (() => void) | undefined;
  #lastError: string | undefined;
  /** Why the stores' reports can't be judged. */
  #storesError: string | undefined;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#writer = new ControlWriter(options.log, options.clock);
    this.#fences = new FenceAppender(options.log, options.clock);
    this.#setBackCheck = new SetBackCheck(options.control.state, options.clock);
    this.#eraRepeats = new EraRepeats(options.control.state, options.clock);
    this.#checkpoints = new CheckpointAppender(options, this.#writer);
  }

  /** Why the coordinator cannot decide, for status; undefined when it can. */
  get problem(): string | undefined {
    return this.#lastError ?? this.#storesError ?? this.#fences.problem ?? this.#setBackCheck.problem;
  }

  /** Claims a term, decides the first map if there is none, and continues in the background. */
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
    this.#unlisten = control.listen((message) => this.#received(message));
    if (isAlone) {
      for (const session of [...control.state.sessions.values()]) {
        if (session.state === 'open') await this.#fence(session.session, undefined, 'its process has ended');
      }
    }
    this.#running = Promise.all([this.#run(), this.#watchStores()]);
  }

  /** Claims the next term; repeats that while another claim of the same term was first. */
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

  /**
   * Makes the consumers of a halted partition pass a gap; it is permanent and shown. The gap may have the records that
   * ended lanes, see `fenceEnded`.
   */
  async skip(topic: string, partition: number, offset: number, reason: string): Promise<void> {
    await this.#decideForCaller({ $case: 'skip', value: { term: this.#term, topic, partition, offset, reason } });
    if (topic === 'points') await this.fenceEnded(partition);
  }

  /**
   * Fences the sessions that have ended, in a partition of `points` that has lost records: they may be those that ended
   * lanes, and completeness would wait for them.
   */
  async fenceEnded(partition: number): Promise<void> {
    const { sessions, fences } = this.#options.control.state;
    for (const { key, state, session } of [...sessions.values()]) {
      if (state !== 'open' && !fences.has(key)) await this.#fence(session, undefined, `a gap in points/${partition}`);
    }
    this.#fences.repeat(
      [...fences.values()].filter(({ completed }) => completed),
      partition,
      this.#copying.signal,
    );
  }

  /**
   * Decides the next map: the partition of each slot, of `partitions` in all. It takes effect a little later; batches
   * that were stamped before keep their map. Errors: `invalid_argument` for a wrong table, `resource_exhausted` for too
   * many maps, `failed_precondition` when another decision was first.
   */
  async assignSlots(partitions: number, slots: Uint16Array): Promise<void> {
    const { state } = this.#options.control;
    const { epoch, partitions: minPartitions } = state.map ?? { epoch: 0, partitions: 1 };
    if (partitions < minPartitions || slots.length !== SLOTS || slots.some((partition) => partition >= partitions)) {
      const limit = `${SLOTS} slots, each below partitions, with at least ${minPartitions} partitions`;
      throw limitError('slots', `${slots.length} slots of ${partitions}`, limit);
    }
    if (state.maps.size >= MAX_MAPS) {
      const message = `maps: ${state.maps.size} (limit: ${MAX_MAPS}); every checkpoint contains all maps`;
      throw new TidemarkError('resource_exhausted', message, { field: 'maps', limit: MAX_MAPS });
    }
    const map = { epoch: epoch + 1, partitions, slots };
    const value = { term: this.#term, expectedEpoch: epoch, map: { ...map, slots: packSlots(map) } };
    await this.#decideForCaller({ $case: 'map', value });
  }

  /**
   * Creates a key and stores its hash; the key itself is returned once. A key of the same name is replaced. Error:
   * `resource_exhausted` when the tenant has too many keys.
   */
  async createKey(tenant: string, name: string, scopes: readonly string[]): Promise<string> {
    let others = 0;
    for (const key of this.#options.control.state.keys.values())
      if (key.tenant === tenant && key.name !== name) others++;
    if (others >= MAX_KEYS) {
      const message = `keys of tenant ${tenant}: ${others} (limit: ${MAX_KEYS}); revoke one that is not used`;
      throw new TidemarkError('resource_exhausted', message, { field: 'keys', limit: MAX_KEYS });
    }
    const key = newApiKey(this.#options.random);
    await this.#decideKey({ tenant, name, keyHash: hashApiKey(key), scopes: [...scopes], revoked: false });
    return key;
  }

  /** Revokes a key. Error: `not_found` when the tenant has no key of that name. */
  async revokeKey(tenant: string, name: string): Promise<void> {
    const keys = [...this.#options.control.state.keys.values()];
    if (!keys.some((key) => key.tenant === tenant && key.name === name)) {
      throw new TidemarkError('not_found', `tenant ${tenant} has no key ${name}`);
    }
    await this.#decideKey({ tenant, name, keyHash: Buffer.alloc(0), scopes: [], revoked: true });
  }

  #decideKey(decision: Omit<KeyDecision, 'term'>): Promise<void> {
    return this.#decideForCaller({ $case: 'key', value: { term: this.#term, ...decision } });
  }

  get #isSuperseded(): boolean {
    return this.#options.control.state.term > this.#term;
  }

  get #supersededMessage(): string {
    return `term ${this.#term} ended: another coordinator took over`;
  }

  /** Appends a decision and waits until this process has read it back. */
  async #decide(message: ControlMessage): Promise<void> {
    await this.#settle(await this.#writer.append(message, this.#stop.signal));
  }

  /** As `#decide`, for a caller that waits. Errors: `unavailable`, at once, while the folder of the log is moved. */
  async #decideForCaller(message: ControlMessage): Promise<void> {
    await this.#settle(await this.#writer.appendForCaller(message, this.#stop.signal));
  }

  async #settle({ offset }: Appended): Promise<void> {
    await this.#options.control.reached(offset, this.#stop.signal);
    if (this.#isSuperseded) throw new TidemarkError('failed_precondition', this.#supersededMessage);
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
      if (this.#isSuperseded) {
        this.#lastError = this.#supersededMessage;
        // The successor appends the missing copies of fences.
        this.#copying.abort();
        return;
      }
      await sleep(clock, TURN_MS, signal);
    }
  }

  /** Judges what the stores report, apart from the turns: stores that don't answer for long must not delay fences. */
  async #watchStores(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted && !this.#isSuperseded) {
      try {
        await this.#judgePositions();
        await this.#judgeBudgets();
        this.#storesError = undefined;
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        // A damaged store is halted, and reports that itself: until it is mended, the last verdict on budgets stands.
        this.#storesError = error.code === 'data_loss' ? undefined : error.message;
      }
      await sleep(clock, STORES_MS, signal);
    }
  }

  async #turn(): Promise<void> {
    const { control, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#expired(nowMs).length > 0) {
      // A coordinator that was cut off or suspended must read the renewals first: the silence was its own.
      const { next } = await log.bounds('control', 0);
      await control.reached(next - 1, this.#stop.signal);
      for (const { session } of this.#expired(nowMs)) {
        await this.#fence(session, undefined, `no renewal for ${LEASE_MS / 1000} s`);
      }
    }
    if (this.#setBackCheck.isDue()) await this.#setBack();
    if (this.#eraRepeats.isDue()) await this.#repeatEra();
    for (const dead of [...control.state.deadLanes.values()]) {
      await this.#fence(dead.session, dead, 'its session reported the lane dead');
    }
    await this.#fenceUnaware();
    await this.#completeFences();
    // A checkpoint that lacks an era would make all readers forget it.
    if (!control.state.mayLackEra) await this.#checkpoints.advance(this.#term, this.#stop.signal);
  }

  /**
   * Repeats the fences of sessions that renew for long after they were fenced: the record that ended them may be lost, and
   * they would accept points that no longer hold back completeness.
   */
  async #fenceUnaware(): Promise<void> {
    for (const key of this.#unawareDue) {
      this.#unaware.delete(key);
      this.#unawareDue.delete(key);
      const session = this.#options.control.state.sessions.get(key);
      if (session !== undefined) await this.#fence(session.session, undefined, 'it renews after its fence');
    }
  }

  /** Takes time back, to the append time of the decision. It is void if the log's clock has changed meanwhile. */
  async #setBack(): Promise<void> {
    const { state } = this.#options.control;
    const era = state.eras.current;
    await this.#decide(this.#setBackOf(state.mayLackEra));
    if (state.eras.current !== era) return;
    const message =
      'the decision to take time back has no effect: the clocks of the log and of this process differ, or its record is lost';
    throw new TidemarkError('failed_precondition', message);
  }

  /** Repeats the decision that began the current era: its record may be damaged where another process reads it. */
  async #repeatEra(): Promise<void> {
    await this.#decide(this.#setBackOf(false, this.#options.control.state.eras.list.at(-1)));
    this.#eraRepeats.done();
  }

  #setBackOf(afterLoss: boolean, repeats?: Era): ControlMessage {
    const { control, clock } = this.#options;
    const { throughMs } = control.state;
    return {
      $case: 'setBack',
      value: { term: this.#term, throughMs, decidedMs: clock.wallMs(), afterLoss, repeats },
    };
  }

  #expired(nowMs: number): SessionInfo[] {
    return [...this.#options.control.state.sessions.values()].filter(({ key, state }) => {
      return state === 'open' && nowMs - (this.#renewedMs.get(key) ?? nowMs) > LEASE_MS;
    });
  }

  /** Appends the fence to `control`; this coordinator or a successor appends the copies to the partitions. */
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

  /** Decides which partitions intakes may not fill further, and ends the lanes that have lost their session. */
  async #judgePositions(): Promise<void> {
    const { control, clock, log, storePositions } = this.#options;
    if (storePositions === undefined) return;
    const positions = await storePositions(this.#stop.signal);
    for (const halt of judgeHalts(positions, control.state.halts)) {
      await this.#decide({ $case: 'halt', value: { term: this.#term, ...halt } });
    }
    const { next } = await log.bounds('control', 0);
    await control.reached(next - 1, this.#stop.signal);
    for (const { session, partition, fence } of this.#abandoned.judge(positions, control.state, clock.monotonicMs())) {
      if (fence === undefined)
        await this.#fence(session, undefined, `an open lane in points/${partition} without a session`);
      else this.#fences.repeat([fence], partition, this.#copying.signal);
    }
  }

  async #judgeBudgets(): Promise<void> {
    const { control, seriesCounts, tenantSeries, metricSeries } = this.#options;
    const counts = new Map((await seriesCounts()).map((count) => [budgetKey(count.tenant, count.metric), count]));
    // A budget that is used up and no longer reported has fallen far below its limit.
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

  #forget(session: string): void {
    this.#renewedMs.delete(session);
    this.#unaware.delete(session);
  }

  #received(message: ControlMessage): void {
    this.#checkpoints.received(message);
    const nowMs = this.#options.clock.monotonicMs();
    if (message.$case === 'checkpoint') {
      // A checkpoint may add sessions whose own records were trimmed, and omit others.
      const { sessions } = this.#options.control.state;
      for (const key of this.#renewedMs.keys()) if (!sessions.has(key)) this.#forget(key);
      for (const key of sessions.keys()) if (!this.#renewedMs.has(key)) this.#renewedMs.set(key, nowMs);
    }
    if (message.$case !== 'renewed' && message.$case !== 'registered') return;
    const key = toHex(message.value.session);
    this.#renewedMs.set(key, nowMs);
    if (this.#options.control.state.sessions.get(key)?.state !== 'fenced') return;
    const sinceMs = this.#unaware.get(key) ?? nowMs;
    this.#unaware.set(key, sinceMs);
    if (nowMs - sinceMs > UNAWARE_MS) this.#unawareDue.add(key);
  }
}
