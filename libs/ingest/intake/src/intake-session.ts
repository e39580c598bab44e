import { toHex } from '@tidemark/bytes';
import type { Rejection, SendReply } from '@tidemark/contract';
import { budgetKey, type ControlFollower, type ControlMessage, ControlWriter, fenceKey } from '@tidemark/control-log';
import { ID_BYTES, type PartitionMap, type PointLimits, type SeriesName } from '@tidemark/model';
import {
  type Appended,
  assert,
  type Clock,
  isTidemarkError,
  type Log,
  type Random,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import type { ClientDictionary } from './client-dictionary.ts';
import { ClientRegister } from './client-register.ts';
import { ClientStream } from './client-stream.ts';
import { ClockCheck } from './clock-check.ts';
import type { IntakeLimits, LaneTiming } from './intake-limits.ts';
import { Lane } from './lane.ts';
import { nextDayFacts } from './next-day-tags.ts';
import { checkMapIsHeld } from './request-key.ts';
import type { SeriesSource } from './series-source.ts';
import type { QueuedShare } from './share-queue.ts';
import { StreamViolations } from './stream-violations.ts';
import { TagPublisher } from './tag-publisher.ts';
import { type StreamQuota, TenantQuotas } from './tenant-quotas.ts';

export interface IntakeOptions {
  readonly log: Log;
  readonly control: ControlFollower;
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  readonly random: Random;
  /** Names this process in `status`. */
  readonly process: string;
  readonly limits: IntakeLimits & PointLimits;
  readonly timing: LaneTiming;
  /** Which of these series the platform has already; asked only over budget. */
  readonly knownSeries: (partition: number, tenant: string, ids: readonly Uint8Array[]) => Promise<boolean[]>;
  /** Told when a lane ended by itself and why; another opens in its place. */
  readonly onLaneEnded?: (partition: number, reason: string) => void;
  /** Told when the full log takes nothing of a lane for long, and why; no reason once it does again. */
  readonly onLaneStalled?: (partition: number, reason: string | undefined) => void;
  /** Where its clients are registered; one of its own when left out. */
  readonly clients?: ClientRegister;
  /** Told when the session ended by itself (fenced, or its clock is off) and why. */
  readonly onEnded?: (reason: string) => void;
}

export interface IntakeStatus {
  readonly streams: number;
  readonly queuedBytes: number;
  /** Points that acked batches left out and refused ones held, by reason. */
  readonly rejectedPoints: Record<string, number>;
  /** Names of the clients with an open stream, and of the requests of others, by client session in hex. */
  readonly clientNames: Record<string, string>;
  /** Streams ended, and requests refused, for breaking the protocol or a limit, by reason. */
  readonly violations: Record<string, number>;
  /** What requests had that has no place here and is no error, by reason. */
  readonly leftOut: Record<string, number>;
}

const RENEW_MS = 1000;
const RENEWAL_LAPSE_MS = 5000;
const REOPEN_MS = 1000;
/** Dead lanes that one renewal names, the oldest first; the others wait for the fences of these. */
const RENEWAL_DEAD_LANES = 64;
/** A session that can't leave in good order for this long goes without a word: the coordinator's fence covers it. */
const CLOSE_MS = 5000;
/** A map that comes into force later than this is looked at again. */
const ANNOUNCE_LOOK_MS = 60_000;
const NEXT_DAY_MS = 10_000;
const NEXT_DAY_FACTS = 50_000;

/**
 * One run of an intake: it registers in `control`, keeps a lane open in each partition, renews, and ends. Its promise
 * is each lane's mark; docs/concepts.md says what follows from it.
 */
export class IntakeSession {
  readonly session: Uint8Array;
  readonly #options: IntakeOptions;
  readonly #key: string;
  readonly #controlWriter: ControlWriter;
  readonly #lanes = new Map<number, Lane>();
  /** Lanes that are closing because the clock is off. */
  readonly #leaving = new Set<Lane>();
  readonly #tags = new Map<number, TagPublisher>();
  readonly #streams = new Set<ClientStream>();
  /** Beside the streams: tenants whose points come in requests. */
  readonly #sources = new Set<SeriesSource>();
  readonly #quotas: TenantQuotas;
  readonly violations = new StreamViolations();
  readonly clients: ClientRegister;
  /** Partitions whose lane ended by itself, with the reason, until another takes shares in its place. */
  readonly #lostLanes = new Map<number, TidemarkError>();
  readonly #deadLanes = new Map<string, { partition: number; lane: number }>();
  /** Points by tenant and reason. */
  readonly #rejected = new Map<string, Map<string, number>>();
  /** What requests had that has no place here, by tenant and reason. */
  readonly #leftOut = new Map<string, Map<string, number>>();
  readonly #stop = new AbortController();
  #nextLane = 0;
  /** Of the map that was announced last. */
  #mapEpoch: number | undefined;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #ended: string | undefined;
  readonly #clockCheck = new ClockCheck();
  #renewing: Promise<void> | undefined;
  #nextDay: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.session = options.random.bytes(ID_BYTES);
    this.#key = toHex(this.session);
    this.#quotas = new TenantQuotas(options.limits);
    this.clients = options.clients ?? new ClientRegister(options.clock);
    this.#controlWriter = new ControlWriter(options.log, options.clock);
  }

  get limits(): IntakeLimits & PointLimits {
    return this.#options.limits;
  }

  get acceptClock(): AcceptClock {
    return this.#options.acceptClock;
  }

  /** The newest map that is in force by this session's clock. */
  get map(): PartitionMap {
    const map = this.#options.control.state.mapAt(this.acceptClock.nowMs());
    if (map === undefined) throw new TidemarkError('unavailable', 'no partition map was decided yet');
    return map;
  }

  /** Registers, then opens a lane in every partition of the map; none before the clock is known to be right. */
  async start(): Promise<void> {
    const { control, process, clock } = this.#options;
    this.#mapEpoch = control.state.map?.epoch;
    this.#unlisten = control.listen((message) => this.#heard(message));
    await this.#appendControl({ $case: 'registered', value: { session: Buffer.from(this.session), process } });
    this.#renewedMs = clock.monotonicMs();
    this.#openLanes();
    this.#renewing = this.#renew();
    this.#nextDay = this.#publishNextDay();
  }

  /** Why nothing is taken now, or undefined. */
  get problem(): string | undefined {
    const { clock } = this.#options;
    if (this.#ended !== undefined) return this.#ended;
    if (this.#clockCheck.problem !== undefined) return this.#clockCheck.problem;
    if (this.#stop.signal.aborted) return 'the intake is stopping';
    const lapseMs = clock.monotonicMs() - this.#renewedMs;
    return lapseMs > RENEWAL_LAPSE_MS ? `no renewal acknowledged for ${Math.round(lapseMs)} ms` : undefined;
  }

  /** What keeps points out of single partitions now. */
  laneProblems(): ReadonlyMap<number, TidemarkError> {
    const problems = new Map<number, TidemarkError>();
    for (const [partition, lane] of this.#lanes) {
      if (lane.isAccepting) this.#lostLanes.delete(partition);
      const problem = lane.problem ?? this.#lostLanes.get(partition);
      if (problem !== undefined) problems.set(partition, problem);
    }
    return problems;
  }

  /** The log's clock and this session's disagree: it takes nothing until they agree again. */
  get isClockOff(): boolean {
    return this.#clockCheck.state === 'off';
  }

  get isAccepting(): boolean {
    return this.problem === undefined;
  }

  /** The refusal that goes with a «retry» of everything. */
  get refusal(): Rejection {
    const message = this.problem ?? 'the intake is busy';
    return { reason: 'intake_not_accepting', field: 'intake', limit: 'an open session', points: 0, message };
  }

  /** True once every lane takes shares. */
  get isReady(): boolean {
    return this.isAccepting && this.#lanes.size > 0 && [...this.#lanes.values()].every((lane) => lane.isAccepting);
  }

  /** Opens a stream for an authenticated client. */
  openStream(tenant: string, reply: (reply: SendReply) => void): ClientStream {
    const { limits } = this.#options;
    if (this.#streams.size >= limits.streams) {
      throw new TidemarkError(
        'resource_exhausted',
        `${limits.streams} streams are open (limit: ${limits.streams} streams)`,
        { reason: 'streams', field: 'stream', limit: `${limits.streams} streams` },
      );
    }
    const stream = new ClientStream(this, tenant, reply, this.#quotas.open(tenant));
    this.#streams.add(stream);
    return stream;
  }

  closeStream(stream: ClientStream): void {
    this.#streams.delete(stream);
    stream.close();
  }

  /** What a source beside the streams may hold; it counts as one stream of its tenant. */
  openQuota(tenant: string): StreamQuota {
    return this.#quotas.open(tenant);
  }

  /** From now on the source's series are published for each day that begins. */
  join(source: SeriesSource): void {
    this.#sources.add(source);
  }

  leave(source: SeriesSource): void {
    this.#sources.delete(source);
    source.quota.release();
  }

  /** Resolves when the queues have room: until then, streams are not read. */
  async ready(): Promise<void> {
    const { clock, limits } = this.#options;
    while (this.queuedBytes > limits.queueBytes && !this.#stop.signal.aborted) await sleep(clock, 5, this.#stop.signal);
  }

  get queuedBytes(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) sum += lane.queuedBytes;
    return sum;
  }

  /** What `status` shows a tenant of this session: its own clients and points. */
  statusFor(tenant: string): IntakeStatus {
    const streams = [...this.#streams].filter((stream) => stream.tenant === tenant);
    const sources = [...this.#sources].filter((source) => source.tenant === tenant);
    return {
      streams: streams.length,
      queuedBytes: this.queuedBytes,
      rejectedPoints: Object.fromEntries(this.#rejected.get(tenant) ?? []),
      clientNames: Object.fromEntries([...streams, ...sources].flatMap(({ clientNames }) => clientNames)),
      violations: this.violations.of(tenant),
      leftOut: Object.fromEntries(this.#leftOut.get(tenant) ?? []),
    };
  }

  /** The map of an epoch; one that `control` does not have is the client's error, once it was read to its end. */
  async mapOf(epoch: number): Promise<PartitionMap> {
    const { control, log } = this.#options;
    const known = control.state.maps.get(epoch);
    if (known !== undefined) return known;
    const { next } = await log.bounds('control', 0);
    if (next > 0) await control.reached(next - 1);
    const map = control.state.maps.get(epoch);
    if (map !== undefined) return map;
    throw new TidemarkError('invalid_argument', `map_epoch: ${epoch} is not known (limit: ${this.map.epoch})`, {
      reason: 'map_epoch_unknown',
      field: 'map_epoch',
      limit: this.map.epoch,
    });
  }

  /**
   * Why no batch by the map of an epoch is taken at `acceptMs`, or undefined. Readers of `control` rely on it: until a map
   * is in force they need not know of it (docs/decisions/0006).
   */
  mapRefusal(epoch: number, acceptMs: number): Rejection | undefined {
    const waitMs = this.#options.control.state.inForceMs(epoch) - acceptMs;
    if (waitMs <= 0) return undefined;
    const limit = 'a map in force';
    const message = `map epoch ${epoch} is in force in ${waitMs} ms (limit: ${limit})`;
    return { reason: 'map_not_in_force', field: 'map_epoch', limit, points: 0, message };
  }

  /**
   * The map of a request's key, which is known here. Throws `invalid_argument` when it is over for long, `unavailable`
   * before it is in force.
   */
  mapForKey(epoch: number): PartitionMap {
    const { state } = this.#options.control;
    const map = state.maps.get(epoch);
    assert(map !== undefined, 'the map of a key was looked up');
    const nowMs = this.acceptClock.nowMs();
    checkMapIsHeld(state, epoch, nowMs);
    const notInForce = this.mapRefusal(epoch, nowMs);
    if (notInForce === undefined) return map;
    const { reason, field, message } = notInForce;
    throw new TidemarkError('unavailable', message, { reason, field });
  }

  /** Why a share of this partition is not taken now, or could not be stored. */
  refusalOf(partition: number): Rejection {
    return this.#lanes.get(partition)?.refusal ?? this.refusal;
  }

  offer(partition: number, share: QueuedShare): boolean {
    return this.#lanes.get(partition)?.offer(share) ?? false;
  }

  /** Counts what an acked batch left out, or a refused one held. */
  count(tenant: string, rejections: readonly Rejection[]): void {
    const counts = this.#rejected.get(tenant) ?? new Map<string, number>();
    if (rejections.length > 0) this.#rejected.set(tenant, counts);
    for (const { reason, points } of rejections) counts.set(reason, (counts.get(reason) ?? 0) + points);
  }

  /** Counts what an acked request had that has no place here. */
  countLeftOut(tenant: string, leftOut: ReadonlyMap<string, number>): void {
    if (leftOut.size === 0) return;
    const counts = this.#leftOut.get(tenant) ?? new Map<string, number>();
    this.#leftOut.set(tenant, counts);
    for (const [reason, count] of leftOut) counts.set(reason, (counts.get(reason) ?? 0) + count);
  }

  isOverBudget({ tenant, metric }: Pick<SeriesName, 'tenant' | 'metric'>): boolean {
    const { overBudget } = this.#options.control.state;
    return overBudget.size > 0 && (overBudget.has(tenant) || overBudget.has(budgetKey(tenant, metric)));
  }

  /** Of series whose budget is used up, those that are new to the platform are refused. */
  async refuseOverBudget(
    dictionary: ClientDictionary,
    series: readonly { ref: number; name: SeriesName }[],
  ): Promise<{ ref: number; rejection: Rejection }[]> {
    if (series.length === 0) return [];
    const { control, knownSeries } = this.#options;
    const ids = series.map(({ ref }) => dictionary.seriesId(ref));
    const known = await knownSeries(dictionary.partition, series[0].name.tenant, ids);
    return series.flatMap(({ ref, name }, i) => {
      if (known[i]) return [];
      const ofMetric = control.state.overBudget.get(budgetKey(name.tenant, name.metric));
      const limit = ofMetric ?? control.state.overBudget.get(name.tenant) ?? 0;
      const scope = ofMetric === undefined ? `tenant ${name.tenant}` : `metric ${name.metric}`;
      const reason = 'series_over_budget';
      const message = `${scope} has used up its budget of ${limit} series`;
      return [{ ref, rejection: { reason, field: 'series', limit: `${limit} series`, points: 0, message } }];
    });
  }

  /**
   * Drains: appends what is queued, closes each lane, then ends the session in `control`. What the log does not take
   * within 5 s stays undone: the session is fenced then, by its lease or at the next start.
   */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#unlisten?.();
    const giveUp = new AbortController();
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(CLOSE_MS, () => {
      giveUp.abort();
      late.resolve();
    });
    await Promise.race([this.#leave(giveUp.signal), late.promise]).finally(() => timer.cancel());
  }

  async #leave(signal: AbortSignal): Promise<void> {
    const lanes = [...this.#lanes.values(), ...this.#leaving];
    await Promise.all([this.#renewing, this.#nextDay, ...lanes.map((lane) => lane.close())]);
    const areClosed = lanes.every((lane) => lane.state === 'closed');
    if (this.#ended !== undefined || !areClosed || this.#deadLanes.size > 0 || signal.aborted) return;
    try {
      await this.#controlWriter.append({ $case: 'ended', value: { session: Buffer.from(this.session) } }, signal);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
    }
  }

  #openLanes(): void {
    if (this.#ended !== undefined || this.#clockCheck.state !== 'right' || this.#stop.signal.aborted) return;
    // Those of a map to come open now, so that they take shares once it is in force.
    const partitions = this.#options.control.state.map?.partitions ?? 0;
    for (let partition = 0; partition < partitions; partition++) {
      if (!this.#lanes.has(partition)) this.#openLane(partition);
    }
  }

  #openLane(partition: number): void {
    const { log, clock, acceptClock, timing, limits } = this.#options;
    let tags = this.#tags.get(partition);
    if (tags === undefined) {
      tags = new TagPublisher(log, partition, clock);
      this.#tags.set(partition, tags);
    }
    const lane = new Lane({
      log,
      clock,
      acceptClock,
      partition,
      session: this.session,
      number: this.#nextLane++,
      tags,
      timing,
      queueBytes: limits.laneQueueBytes,
      onAppended: (sentMs, ackedMs, appended) => this.#checkClock(sentMs, ackedMs, appended),
      onStalled: (_, reason) => this.#options.onLaneStalled?.(partition, reason),
      onDead: (dead, reason) => this.#laneDied(dead, reason),
    });
    this.#lanes.set(partition, lane);
    lane.start();
  }

  /** A lane that ended alone is named in the next renewals until its fence is read; a new one opens in its place. */
  #laneDied(lane: Lane, reason: string): void {
    const { partition, number } = lane;
    if (this.#ended !== undefined) return;
    this.#options.onLaneEnded?.(partition, reason);
    this.#lostLanes.set(partition, lane.problem ?? new TidemarkError('unavailable', reason));
    this.#deadLanes.set(fenceKey(this.session, { partition, lane: number }), { partition, lane: number });
    if (this.#stop.signal.aborted) return;
    this.#options.clock.setTimer(REOPEN_MS, () => {
      if (this.#lanes.get(partition) === lane) this.#lanes.delete(partition);
      this.#openLanes();
    });
  }

  async #renew(): Promise<void> {
    const { clock } = this.#options;
    const signal = this.#stop.signal;
    while (!signal.aborted && this.#ended === undefined) {
      try {
        const deadLanes = [...this.#deadLanes.values()].slice(0, RENEWAL_DEAD_LANES);
        const value = { session: Buffer.from(this.session), deadLanes };
        const sentMs = clock.monotonicMs();
        await this.#appendControl({ $case: 'renewed', value });
        this.#renewedMs = sentMs;
      } catch {
        // Not renewed: after 5 s nothing is accepted, after 10 s the coordinator fences. The next turn tries again.
      }
      await sleep(clock, RENEW_MS, signal);
    }
  }

  /** Publishes tomorrow's (series, day) facts over the last hour of the day. */
  async #publishNextDay(): Promise<void> {
    const { acceptClock, clock } = this.#options;
    const signal = this.#stop.signal;
    while (!signal.aborted && this.#ended === undefined) {
      await sleep(clock, NEXT_DAY_MS, signal);
      for (const { dictionaries } of [...this.#streams, ...this.#sources]) {
        for (const dictionary of dictionaries) {
          const facts = nextDayFacts(dictionary, acceptClock.nowMs(), NEXT_DAY_FACTS);
          if (facts.length === 0) continue;
          // What could not be published now goes out with the series' first points of the day.
          await this.#tags
            .get(dictionary.partition)
            ?.publish(facts, signal)
            .catch(() => undefined);
        }
      }
    }
  }

  async #appendControl(message: ControlMessage): Promise<void> {
    const { acceptClock } = this.#options;
    const sentMs = acceptClock.nowMs();
    const appended = await this.#controlWriter.append(message, this.#stop.signal);
    this.#checkClock(sentMs, acceptClock.nowMs(), appended);
  }

  #heard(message: ControlMessage): void {
    if (message.$case === 'checkpoint') this.#lookAtState();
    const { map } = this.#options.control.state;
    if (map !== undefined && map.epoch !== this.#mapEpoch) {
      this.#mapEpoch = map.epoch;
      this.#openLanes();
      this.#announce(map);
    }
    if (message.$case !== 'fence') return;
    const { session, lane, reason } = message.value;
    if (toHex(session) !== this.#key) return;
    if (lane === undefined) this.#end(`fenced: ${reason}`);
    else this.#deadLanes.delete(fenceKey(session, lane));
  }

  /** Clients hear of a map when their batches by it are taken. */
  #announce(map: PartitionMap): void {
    const { control, clock } = this.#options;
    const waitMs = control.state.inForceMs(map.epoch) - this.acceptClock.nowMs();
    if (waitMs <= 0) {
      for (const stream of this.#streams) stream.announce(map);
      return;
    }
    clock.setTimer(Math.min(waitMs, ANNOUNCE_LOOK_MS), () => {
      // A newer one has its own timer.
      if (!this.#stop.signal.aborted && map.epoch === this.#mapEpoch) this.#announce(map);
    });
  }

  /** A checkpoint may stand for records that were trimmed before they were read, this session's fences among them. */
  #lookAtState(): void {
    const { fences, sessions } = this.#options.control.state;
    for (const key of this.#deadLanes.keys()) if (fences.has(key)) this.#deadLanes.delete(key);
    const isGone = Number.isFinite(this.#renewedMs) && !sessions.has(this.#key);
    const fence = fences.get(this.#key);
    if (fence !== undefined || isGone) this.#end(`fenced: ${fence?.reason ?? 'long ago'}`);
  }

  /** The session reads its own fence: its promises are void, so it stops. */
  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const lane of [...this.#lanes.values(), ...this.#leaving]) lane.abandon(reason);
    this.#options.onEnded?.(reason);
  }

  #checkClock(sentMs: number, ackedMs: number, { appendTimeMs }: Appended): void {
    const before = this.#clockCheck.state;
    this.#clockCheck.appended(sentMs, ackedMs, appendTimeMs);
    const { state } = this.#clockCheck;
    if (state === before) return;
    if (state === 'off') this.#closeLanes();
    else if (state === 'right') this.#openLanes();
  }

  /** Marks by a wrong clock promise too much or hold everybody back: the lanes leave until it is right again. */
  #closeLanes(): void {
    for (const lane of this.#lanes.values()) {
      this.#leaving.add(lane);
      void lane.close().then(() => lane.state === 'closed' && this.#leaving.delete(lane));
    }
    this.#lanes.clear();
  }
}
