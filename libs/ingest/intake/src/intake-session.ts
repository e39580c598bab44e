import { toHex } from '@tidemark/bytes';
import type { Rejection } from '@tidemark/contract';
import { type ControlFollower, type ControlMessage, followSkips } from '@tidemark/control-log';
import { ID_BYTES, type PointLimits } from '@tidemark/model';
import { type Appended, type Clock, type Log, type Random, sleep, type TidemarkError } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import type { ClientDictionary } from './client-dictionary.ts';
import { ClientRegister } from './client-register.ts';
import { ClockCheck } from './clock-check.ts';
import type { IntakeLimits, LaneTiming } from './intake-limits.ts';
import type { IntakeStatus } from './intake-status.ts';
import { type LaneEra, laneOpening } from './lane.ts';
import { LaneSet } from './lane-set.ts';
import { LogTime } from './log-time.ts';
import { MapsInForce } from './maps-in-force.ts';
import { publishNextDays } from './next-day-publisher.ts';
import { type FindKnownSeries, SeriesBudgets } from './series-budgets.ts';
import type { SeriesSource } from './series-source.ts';
import { SessionLease } from './session-lease.ts';
import type { QueuedShare } from './share-queue.ts';
import { StatedMetrics } from './stated-metrics.ts';
import { StreamViolations } from './stream-violations.ts';
import { TenantCounts } from './tenant-counts.ts';
import { type StreamQuota, TenantQuotas } from './tenant-quotas.ts';
import type { SeriesLimits } from './unsent-series.ts';
import { WallSteps } from './wall-steps.ts';

export interface IntakeOptions {
  readonly log: Log;
  readonly control: ControlFollower;
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  readonly random: Random;
  /** Name of this process in `status`. */
  readonly process: string;
  readonly limits: IntakeLimits & PointLimits;
  readonly timing: LaneTiming;
  /** D of a tenant, ms, for the greetings of its clients. Greetings have none when it is left out. */
  readonly latenessMs?: (tenant: string) => number;
  /** Returns which series the platform has; called only for series over budget. */
  readonly knownSeries: FindKnownSeries;
  /** Budgets for series that were defined and not sent. Default: none. */
  readonly budgets?: SeriesLimits;
  /** Called when a lane ended by itself. Another one opens in its place. */
  readonly onLaneEnded?: (partition: number, reason: string) => void;
  /** Called when the log is full for a lane, and without a reason when it stores records again. */
  readonly onLaneStalled?: (partition: number, reason: string | undefined) => void;
  /** Register of the clients. Default: a new one. */
  readonly clients?: ClientRegister;
  /** Called when the session ended because it was fenced. */
  readonly onEnded?: (reason: string) => void;
}

/** A session that cannot close cleanly within this time stops without closing its lanes: the coordinator fences it. */
const CLOSE_MS = 5000;
const NO_BUDGETS: SeriesLimits = {
  tenantSeries: Number.POSITIVE_INFINITY,
  metricSeries: Number.POSITIVE_INFINITY,
};
/** Interval of checks of full queues. */
const QUEUE_CHECK_MS = 5;

/**
 * One run of an intake: it registers in `control`, keeps a lane open in each partition, renews its lease, and ends. Its
 * promise is the mark of each lane; docs/concepts.md says what follows from it.
 */
export class IntakeSession {
  readonly session: Uint8Array;
  readonly maps: MapsInForce;
  readonly budgets: SeriesBudgets;
  readonly counts: TenantCounts;
  readonly violations: StreamViolations;
  readonly clients: ClientRegister;
  /** What is stated of metrics. */
  readonly metrics: StatedMetrics;
  readonly #options: IntakeOptions;
  readonly #lanes: LaneSet;
  readonly #lease: SessionLease;
  readonly #quotas: TenantQuotas;
  readonly #sources = new Set<SeriesSource>();
  #streams = 0;
  readonly #clockCheck = new ClockCheck();
  readonly #logTime: LogTime;
  readonly #wallSteps: WallSteps;
  readonly #stop = new AbortController();
  #nextDays: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;

  constructor(options: IntakeOptions) {
    const { log, control, clock, acceptClock, random, limits } = options;
    this.#options = options;
    this.session = random.bytes(ID_BYTES);
    this.counts = new TenantCounts(clock);
    this.violations = new StreamViolations(clock);
    this.clients = options.clients ?? new ClientRegister(clock);
    this.budgets = new SeriesBudgets(control.state, options.knownSeries, options.budgets ?? NO_BUDGETS);
    this.#quotas = new TenantQuotas(limits);
    const { session } = this;
    const { signal } = this.#stop;
    const onAppended = (sentMs: number, ackedMs: number, appended: Appended) =>
      this.#checkClock(sentMs, ackedMs, appended);
    this.maps = new MapsInForce({
      ...{ log, control, clock, acceptClock, signal },
      reachedNow: () => this.#lease.reachedNow(),
      onInForce: (map) => {
        for (const source of this.#sources) source.announce(map);
      },
    });
    this.#logTime = new LogTime(control.state, acceptClock, options.timing.openDelayMs);
    this.#wallSteps = new WallSteps(clock, acceptClock);
    this.#lanes = new LaneSet({
      ...{ log, clock, acceptClock, session, timing: options.timing, queueBytes: limits.laneQueueBytes, onAppended },
      partitions: () => this.maps.partitions,
      markLimitMs: () => this.#lease.markLimitMs,
      era: () => this.#laneEra(),
      onLaneEnded: options.onLaneEnded,
      onLaneStalled: options.onLaneStalled,
    });
    this.metrics = new StatedMetrics({
      ...{ clock, signal, metricBytes: limits.metricBytes },
      map: () => this.maps.current,
      allMaps: async () => (await this.maps.decided()).values(),
      tagsOf: (partition) => this.#lanes.tagsOf(partition),
    });
    this.#lease = new SessionLease({
      ...{ log, control, clock, acceptClock, session, process: options.process, onAppended, signal },
      deadLanes: () => this.#lanes.dead,
      onFenced: (reason) => {
        this.#lanes.abandon(reason);
        options.onEnded?.(reason);
      },
    });
  }

  get limits(): IntakeLimits & PointLimits {
    return this.#options.limits;
  }

  get acceptClock(): AcceptClock {
    return this.#options.acceptClock;
  }

  /** D of a tenant, ms; undefined when this intake was not given one. */
  latenessMs(tenant: string): number | undefined {
    return this.#options.latenessMs?.(tenant);
  }

  /** Registers, then opens a lane in every partition of the map, once the clock is known to be right. */
  async start(): Promise<void> {
    const { control, clock, acceptClock } = this.#options;
    const unlisten = control.listen((message) => this.#receive(message));
    const unfollow = followSkips(control, ({ topic, partition, offset }) => {
      if (topic === 'points') this.#lanes.passed(partition, offset);
    });
    this.#unlisten = () => {
      unlisten();
      unfollow();
    };
    await this.#lease.start();
    this.#lanes.open();
    this.#nextDays = publishNextDays({
      ...{ clock, acceptClock, signal: this.#stop.signal },
      dictionaries: () => this.#dictionaries(),
      tagsOf: (partition) => this.#lanes.tagsOf(partition),
      hasEnded: () => this.#lease.fenced !== undefined,
    });
  }

  /** Why the session accepts nothing now, or undefined. */
  get problem(): string | undefined {
    const { fenced, lapse } = this.#lease;
    if (fenced !== undefined) return fenced;
    const clockProblem = this.#clockCheck.problem ?? this.#logTime.problem ?? this.#wallSteps.problem;
    if (clockProblem !== undefined) return clockProblem;
    return this.#stop.signal.aborted ? 'the intake is stopping' : lapse;
  }

  /** Returns the problems of single partitions that accept no points now. */
  laneProblems(): ReadonlyMap<number, TidemarkError> {
    return this.#lanes.problems();
  }

  /** True when the clocks of the log and this session differ. The session accepts nothing until they agree again. */
  get isClockOff(): boolean {
    return this.#clockCheck.state === 'off';
  }

  /** True when the log's clock was set back. The session accepts nothing until the log takes its time back. */
  get isLogAhead(): boolean {
    return this.#logTime.problem !== undefined;
  }

  get isAccepting(): boolean {
    return this.problem === undefined;
  }

  /** True when every lane accepts shares, and stores them. */
  get isReady(): boolean {
    return this.isAccepting && this.#lanes.isReady;
  }

  /** Refusal of a `retry` of all points. */
  get refusal(): Rejection {
    const limit = 'an open session';
    // The problem may have ended since the session was asked.
    const message = this.problem ?? `the session of the intake accepted no points until now (limit: ${limit}); retry`;
    return { reason: 'intake_not_accepting', field: 'intake', limit, points: 0, message };
  }

  /** Returns why a request may be stored in part: a log that is full for one of its partitions. */
  get stallRefusal(): Rejection | undefined {
    const partition = this.#lanes.stalled;
    return partition === undefined ? undefined : this.refusalOf(partition);
  }

  /** Returns why a share of this partition is not accepted now, or could not be stored. */
  refusalOf(partition: number): Rejection {
    if (this.#isHalted(partition)) {
      const limit = `${this.#options.limits.haltedMs} ms`;
      // Senders of every tenant read it; operators see why in the health of the process.
      const message = `points/${partition}: its stores have been halted for too long (limit: ${limit})`;
      return { reason: 'partition_halted', field: 'haltedMs', limit, points: 0, message };
    }
    return this.#lanes.refusalOf(partition) ?? (this.isAccepting ? laneOpening(partition) : this.refusal);
  }

  /** Accepts a share. Returns false when its lane cannot accept it, and the batch must be sent again. */
  offer(partition: number, share: QueuedShare): boolean {
    return !this.#isHalted(partition) && this.#lanes.offer(partition, share);
  }

  /**
   * True while no points of the partition are accepted, because its stores have been halted for too long: what no store can
   * read must not be acknowledged without end.
   */
  #isHalted(partition: number): boolean {
    const { control, limits } = this.#options;
    return (control.state.haltedMs(partition) ?? 0) > limits.haltedMs;
  }

  /** Max bytes of a share. A larger one can't be stored, whenever it is sent. */
  get shareBytes(): number {
    return this.#lanes.shareBytes;
  }

  /** Number of open streams of clients. */
  get openStreams(): number {
    return this.#streams;
  }

  /**
   * Returns the quota of one more source of a tenant. Throws `resource_exhausted` when the tenant has its max number.
   */
  openQuota(tenant: string): StreamQuota {
    return this.#quotas.open(tenant);
  }

  /** Adds a source, which then learns of new maps and has its series published for each new day. */
  join(source: SeriesSource): void {
    this.#sources.add(source);
    if (source.isStream) this.#streams++;
  }

  /** Removes a source and releases its quota. Idempotent. */
  leave(source: SeriesSource): void {
    if (this.#sources.delete(source) && source.isStream) this.#streams--;
    for (const dictionary of source.dictionaries) dictionary.leave();
    source.quota.release();
  }

  /** Resolves when the queues have room. Streams are not read until then. */
  async ready(): Promise<void> {
    const { clock, limits } = this.#options;
    const { signal } = this.#stop;
    while (this.#lanes.queuedBytes > limits.queueBytes && !signal.aborted) await sleep(clock, QUEUE_CHECK_MS, signal);
  }

  /** Returns the status of this session for a tenant: its own clients and points. */
  statusFor(tenant: string): IntakeStatus {
    const sources = [...this.#sources].filter((source) => source.tenant === tenant);
    return {
      streams: sources.filter(({ isStream }) => isStream).length,
      queuedBytes: this.#lanes.queuedBytes,
      rejectedPoints: this.counts.rejectedOf(tenant),
      clientNames: Object.fromEntries(sources.flatMap(({ clientNames }) => clientNames)),
      formerClientNames: this.clients.formerNamesOf(tenant),
      violations: this.violations.of(tenant),
      leftOut: this.counts.leftOutOf(tenant),
      refused: [...this.counts.listOf(tenant), ...this.violations.listOf(tenant), ...this.clients.refusedOf(tenant)],
      sources: this.clients.sourcesOf(tenant),
    };
  }

  /**
   * Drains the session: appends the queued shares, closes each lane, then ends the session in `control`. If the log
   * does not accept that within 5 s, the session is fenced, by its lease or at the next start.
   */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.metrics.stop();
    this.#unlisten?.();
    const giveUp = new AbortController();
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(CLOSE_MS, () => {
      giveUp.abort();
      late.resolve();
    });
    await Promise.race([this.#end(giveUp.signal), late.promise]).finally(() => timer.cancel());
  }

  async #end(signal: AbortSignal): Promise<void> {
    const [areClosed] = await Promise.all([this.#lanes.close(), this.#lease.stopped(), this.#nextDays]);
    if (this.#lease.fenced === undefined && areClosed && !signal.aborted) await this.#lease.end(signal);
  }

  *#dictionaries(): Iterable<ClientDictionary> {
    for (const { dictionaries } of [...this.#sources]) yield* dictionaries;
  }

  #receive(message: ControlMessage): void {
    const isOwn = message.$case === 'registered' && toHex(message.value.session) === toHex(this.session);
    if (isOwn) this.#logTime.registered();
    else this.#logTime.read();
    if (message.$case === 'checkpoint') this.#lanes.forgetFenced(this.#options.control.state.fences);
    if (message.$case === 'checkpoint' || message.$case === 'setBack') this.#lease.checkState();
    // Not only a new map: the record may be what the lanes wait for (`#laneEra`).
    this.maps.notice();
    this.#lanes.open();
    if (message.$case !== 'fence' || toHex(message.value.session) !== toHex(this.session)) return;
    const { lane, reason } = message.value;
    if (lane === undefined) this.#lease.fence(`fenced: ${reason}`);
    else this.#lanes.fenced(lane);
  }

  /**
   * Closes the lanes while the clock is off. Marks by a wrong clock promise too much, or delay completeness for all
   * readers.
   */
  #checkClock(sentMs: number, ackedMs: number, { appendTimeMs }: Appended): void {
    const before = this.#clockCheck.state;
    this.#clockCheck.appended(sentMs, ackedMs, appendTimeMs);
    const { state } = this.#clockCheck;
    if (state === 'right') this.#wallSteps.confirmed(sentMs);
    if (state === 'right' && before !== 'right') this.#logTime.checkFrom(this.#lease.ackedOffset + 1);
    if (state === 'off') this.#logTime.lost();
    if (state === 'right') this.#lanes.open();
    else if (state === 'off' && before !== 'off') this.#lanes.leave();
  }

  /** Returns the era of lanes that open now; undefined while none may open. */
  #laneEra(): LaneEra | undefined {
    if (this.#clockCheck.state !== 'right' || !this.#lease.isOpen) return undefined;
    return this.#logTime.eraToOpen();
  }
}
