import { type IdHash, toHex } from '@tidemark/bytes';
import type { PointSorter } from '@tidemark/columns';
import {
  classOfKind,
  ID_BYTES,
  type Kind,
  metricId,
  nameBytes,
  type PartitionMap,
  partitionOf,
  type SeriesName,
  seriesId,
  seriesName,
} from '@tidemark/model';
import { assert, type Clock, isTidemarkError, type Random, type Timer } from '@tidemark/ports';
import type { ArrivedRequests } from './arrived-requests.ts';
import type { BatchTarget } from './batch-target.ts';
import { ClientDictionary, maxDictionaryAgeMs } from './client-dictionary.ts';
import { type BatchOutcome, GatheredBatch, type SpareParts } from './gathered-batch.ts';
import type { IntakeSession } from './intake-session.ts';
import { type Refusal, refusalOf } from './rejections.ts';
import { KeyedSessions, type RequestKey } from './request-key.ts';
import { batchSize, type RequestLimits } from './request-limits.ts';
import { REFUSED, SeriesHandles } from './series-handles.ts';
import type { SeriesSource } from './series-source.ts';
import { Settlement } from './settlement.ts';
import type { QueuedShare } from './share-queue.ts';
import type { StreamQuota } from './tenant-quotas.ts';

export interface TenantBatcherOptions {
  readonly session: IntakeSession;
  readonly tenant: string;
  /** Map of keys older than the newest map. Default: the newest map. */
  readonly map?: PartitionMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: RequestLimits;
  readonly sorter: PointSorter;
  readonly spares: SpareParts;
  readonly arrived: ArrivedRequests;
  /** Hash of the tables of series of all tenants. */
  readonly idHash: IdHash;
}

interface SeriesOfMetric {
  readonly id: Buffer;
  readonly partition: number;
}

/** How often a series may change its reporting interval, within one batcher. */
const MAX_MOVES = 16;

/**
 * Gathers the points of one tenant's requests, under one intake session and one map, into batches. A batch is sent as soon as
 * no other is unsettled and the requests that have arrived are in it; what comes meanwhile is the next one. The requests act
 * as one client with its own client session, sequences and dictionaries. Handles of its series are valid here only.
 * request-intake.test.ts covers it.
 */
export class TenantBatcher implements SeriesSource, BatchTarget {
  readonly session: IntakeSession;
  readonly tenant: string;
  readonly isStream = false;
  readonly map: PartitionMap;
  readonly startedMs: number;
  /** Monotonic ms of the last request. */
  usedMs: number;
  readonly quota: StreamQuota;
  readonly handles: SeriesHandles;
  /** Client sessions of requests with keys. */
  readonly keyed: KeyedSessions;
  readonly #options: TenantBatcherOptions;
  readonly #clientSession: Uint8Array;
  readonly #dictionaries: (ClientDictionary | undefined)[] = [];
  readonly #metrics = new Map<string, SeriesOfMetric>();
  /** Series that were named while their budget was used up. The platform must be asked whether it knows them. */
  #unchecked: { handle: number; name: SeriesName }[] = [];
  #checking: Promise<void> | undefined;
  #gathering: GatheredBatch;
  /** Full batches that wait for the window. */
  readonly #full: GatheredBatch[] = [];
  #timer: Timer | undefined;
  /** True while the gathering batch waits for requests that have arrived. */
  #isWaiting = false;
  #nextSequence = 0;
  /** Unsettled sequences, in order: the first is the floor. */
  readonly #unsettled = new Set<number>();
  #isFull = false;

  constructor(options: TenantBatcherOptions) {
    const { session, tenant, clock, random } = options;
    this.#options = options;
    this.session = session;
    this.tenant = tenant;
    this.map = options.map ?? session.maps.current;
    this.keyed = new KeyedSessions(clock, options.limits, session.limits.window);
    this.startedMs = clock.monotonicMs();
    this.usedMs = this.startedMs;
    this.#clientSession = random.bytes(ID_BYTES);
    this.#gathering = new GatheredBatch(options.spares);
    this.handles = new SeriesHandles(options.idHash, (partition) => this.#dictionary(partition));
    this.quota = session.openQuota(tenant);
    session.join(this);
  }

  get clientNames(): [string, string][] {
    const keyed = this.keyed.sessions.map((session): [string, string] => [session, 'HTTP requests with keys']);
    return [[toHex(this.#clientSession), 'HTTP requests'], ...keyed];
  }

  get dictionaries(): Iterable<ClientDictionary> {
    return this.#dictionaries.filter((dictionary) => dictionary !== undefined);
  }

  /** Returns false once another batcher must replace this one. */
  isCurrent(session: IntakeSession): boolean {
    const isNewest = this.#options.map !== undefined || this.map.epoch === session.maps.current.epoch;
    return this.session === session && isNewest && !this.#mustStartOver;
  }

  /** Returns the handle of a series, also of a refused one, whose points are counted under the reason. */
  series(metric: string, kind: Kind, tags: readonly string[], intervalMs = 0): number {
    let name: SeriesName;
    try {
      name = seriesName(this.tenant, metric, classOfKind(kind), tags, this.session.limits);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      return this.handles.refused(refusalOf(error, metric));
    }
    const id = seriesId(name);
    const known = this.handles.find(id);
    const handle = this.#isDefined(known, intervalMs) ? known : this.#define(name, id, intervalMs, known);
    // What a refused series implies must not become a metric: no budget would bound these.
    const mayBeRefused = this.session.budgets.isExceeded(name) && (known < 0 || this.mustCheckBudget);
    if (!mayBeRefused && this.handles.classes[handle] !== REFUSED) {
      this.session.metrics.noteSeries(this.tenant, metric, kind);
    }
    return handle;
  }

  #isDefined(known: number, intervalMs: number): boolean {
    if (known < 0) return false;
    const { intervalsMs, moves } = this.handles;
    // Senders that contradict each other must not fill the dictionary.
    return intervalMs === 0 || intervalsMs[known] === intervalMs || moves[known] >= MAX_MOVES;
  }

  /** Returns the name of the metric of a handle that is not refused. */
  metricName(handle: number): string | undefined {
    const { partitions, refs } = this.handles;
    return this.#dictionaries[partitions[handle]]?.metricName(refs[handle]);
  }

  /** Returns why a handle's points are refused; undefined once a budget has room again. */
  refusalOf(handle: number): Refusal | undefined {
    const refusal = this.handles.refusals.get(handle);
    if (
      refusal?.metric === undefined ||
      this.session.budgets.isExceeded({ tenant: this.tenant, metric: refusal.metric })
    ) {
      return refusal;
    }
    const { partitions, refs } = this.handles;
    const dictionary = this.#dictionary(partitions[handle]);
    if (dictionary.size >= this.session.limits.dictionaryRefs) return refusal;
    // A lane may have defined the ref of the refused series as that of no series.
    this.handles.allow(handle, dictionary.addHidden(refs[handle]));
    return undefined;
  }

  get mustCheckBudget(): boolean {
    return this.#unchecked.length > 0;
  }

  /** Asks the platform which of the series over budget it has. The others are refused. */
  checkBudget(): Promise<void> {
    this.#checking ??= this.#askForBudget().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  get gathering(): GatheredBatch {
    return this.#gathering;
  }

  added(settled: BatchOutcome): void {
    const { limits, clock } = this.#options;
    const { points, bytes } = batchSize(limits, this.session.shareBytes);
    const batch = this.#gathering;
    batch.expect(settled);
    if (batch.points >= points || batch.bytes >= bytes) this.#close();
    else this.#timer ??= clock.setTimer(limits.gatherMs, () => this.#close());
  }

  /** Does nothing: the next request checks `isCurrent`. */
  announce(): void {}

  complete(): void {
    this.#sendWhenFree();
  }

  /** Sends the gathered points and leaves the session. Points of open requests are still sent. */
  leave(): void {
    this.session.leave(this);
    this.#close();
  }

  get #mustStartOver(): boolean {
    const ageMs = this.#options.clock.monotonicMs() - this.startedMs;
    const isOld = ageMs > maxDictionaryAgeMs(this.session.limits);
    return isOld || (this.#isFull && ageMs >= this.#options.limits.startOverMs);
  }

  /** Defines a series, or a known one again with another interval. */
  #define(name: SeriesName, id: Buffer, intervalMs: number, known: number): number {
    const { handles, session } = this;
    const { seriesPerTenant, startOverMs } = this.#options.limits;
    if (handles.size >= seriesPerTenant) {
      this.#isFull = true;
      const limit = `${seriesPerTenant} series within ${startOverMs} ms`;
      return handles.refused({ reason: 'request_series', field: 'series', limit });
    }
    const ofMetric = this.#metricOf(name.metric);
    const { id: metric, partition } = ofMetric;
    const dictionary = this.#dictionary(partition);
    const { dictionaryRefs } = session.limits;
    if (dictionary.size >= dictionaryRefs) {
      this.#isFull = true;
      return handles.refused({ reason: 'dictionary_full', field: 'series', limit: `${dictionaryRefs} per partition` });
    }
    const refused = this.#countDefinition(name);
    if (refused !== undefined) {
      // Series whose points were all refused are forgotten when the table starts again.
      this.#isFull = true;
      return handles.refused(refused);
    }
    // Only now: the metrics of refused series are not remembered.
    this.#metrics.set(name.metric, ofMetric);
    const ref = dictionary.size;
    dictionary.add({ metricId: metric, seriesId: id, seriesClass: name.seriesClass, intervalMs }, name);
    if (known >= 0) {
      dictionary.restate(handles.refs[known]);
      handles.move(known, ref, intervalMs);
      return known;
    }
    const handle = handles.add(id, partition, ref, name.seriesClass, intervalMs);
    if (session.budgets.isExceeded(name)) this.#unchecked.push({ handle, name });
    return handle;
  }

  /** Counts a definition. Returns why it must not be made. */
  #countDefinition(name: SeriesName): Refusal | undefined {
    const { unsent } = this.session.budgets;
    const overBudget = unsent.add(name);
    if (overBudget !== undefined) return overBudget;
    const refused = this.quota.offer(nameBytes(name));
    if (refused !== undefined) unsent.remove(name);
    return refused;
  }

  #metricOf(metric: string): SeriesOfMetric {
    const known = this.#metrics.get(metric);
    if (known !== undefined) return known;
    const id = metricId(this.tenant, metric);
    return { id, partition: partitionOf(this.map, id) };
  }

  #dictionary(partition: number): ClientDictionary {
    let dictionary = this.#dictionaries[partition];
    if (dictionary === undefined) {
      dictionary = new ClientDictionary(this.map.epoch, partition, this.session.budgets.unsent);
      this.#dictionaries[partition] = dictionary;
    }
    return dictionary;
  }

  async #askForBudget(): Promise<void> {
    while (this.#unchecked.length > 0) {
      const asked = this.#unchecked.slice();
      const byPartition = Map.groupBy(asked, ({ handle }) => this.handles.partitions[handle]);
      for (const [partition, series] of byPartition) {
        const byRef = new Map(series.map(({ handle, name }) => [this.handles.refs[handle], { handle, name }]));
        const refs = [...byRef].map(([ref, { name }]) => ({ ref, name }));
        for (const { ref, rejection } of await this.session.budgets.refuseNew(this.#dictionary(partition), refs)) {
          const one = byRef.get(ref);
          assert(one !== undefined, 'a verdict is about a series that was asked for');
          this.handles.refuse(one.handle, rejection, one.name.metric);
          this.#dictionary(partition).hide(ref);
        }
      }
      // The list changes only now: during the call, other requests had to wait for the same series.
      this.#unchecked = this.#unchecked.slice(asked.length);
    }
  }

  /** Sends what was gathered once nothing else is under way. Otherwise its timer ends the wait. */
  #sendWhenFree(): void {
    if (this.#gathering.isEmpty || this.#unsettled.size > 0 || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#options.arrived.afterThese(this.tenant, () => {
      this.#isWaiting = false;
      if (this.#unsettled.size === 0) this.#close();
    });
  }

  /** Closes the batch for further points. */
  #close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#gathering.isEmpty) {
      this.#full.push(this.#gathering);
      this.#gathering = new GatheredBatch(this.#options.spares);
    }
    this.#sendFull();
  }

  #sendFull(): void {
    while (this.#full.length > 0) {
      const floor = this.#unsettled.values().next().value ?? this.#nextSequence;
      if (this.#nextSequence - floor >= this.session.limits.window) return;
      const batch = this.#full.shift();
      if (batch !== undefined) this.#send(batch);
    }
  }

  #send(batch: GatheredBatch): void {
    const sequence = this.#nextSequence++;
    this.#unsettled.add(sequence);
    const floor = this.#unsettled.values().next().value ?? sequence;
    this.#offer(batch, { clientSession: this.#clientSession, sequence, floor }, () => {
      this.#unsettled.delete(sequence);
      this.#sendFull();
      this.#sendWhenFree();
    });
  }

  /** Sends the batch of a request with a key, by itself. */
  sendKeyed(batch: GatheredBatch, key: RequestKey): void {
    const { clientSession, sequence } = key;
    this.#offer(batch, { clientSession, sequence, floor: this.keyed.floor(key) }, () => undefined);
  }

  #offer(
    batch: GatheredBatch,
    stamp: Pick<QueuedShare['span'], 'clientSession' | 'sequence' | 'floor'>,
    settled: () => void,
  ): void {
    const { session, tenant, map } = this;
    const { sorter } = this.#options;
    // Accepted now, when it is offered: with an earlier time, the mark of a lane could have passed it meanwhile.
    const acceptMs = session.acceptClock.nowMs();
    const settlement = new Settlement((notStored) => {
      batch.settle(notStored);
      settled();
    });
    for (const { partition, share, ...known } of batch.encode((one) => this.#dictionary(one), sorter)) {
      settlement.expect();
      const isAccepted = session.offer(partition, {
        ...known,
        acceptMs,
        lingerMs: 0,
        span: { ...stamp, mapEpoch: map.epoch, frontierMs: undefined, tenant, share },
        settle: (durable) => settlement.settle(partition, durable),
      });
      if (!isAccepted) settlement.settle(partition, false);
    }
    settlement.complete();
  }
}
