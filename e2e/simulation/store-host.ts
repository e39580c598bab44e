import {
  type AggregateReply,
  type AggregateRequest,
  type DescribeMetricsRequest,
  type DescribeTagsRequest,
  type MatchRequest,
  PartitionStatusReply,
  type PartitionStatusRequest,
  type PositionsReply,
  type ReplicaPosition,
  type SeriesTagsRequest,
  TagPartitionStatusReply,
  type TagPartitionStatusRequest,
} from '@tidemark/contract';
import { ControlFollower } from '@tidemark/control-log';
import { type Halt, LogConsumer } from '@tidemark/log-consumer';
import { type PageCodec, PointPartition, type PointStoreLimits } from '@tidemark/point-store';
import {
  type Clock,
  isTidemarkError,
  type KeyValue,
  type KeyValueWrite,
  type Log,
  type OpenKeyValue,
  type Random,
  type Slicing,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import type { NetworkEndpoint } from '@tidemark/simulation';
import { TagPartition } from '@tidemark/tag-store';
import type { LogCopy } from './log-copy.ts';
import type { Placement, ReportedOffset, StoredTopic } from './placement.ts';
import { RemoteLog } from './remote-log.ts';
import { BROKERS, LATENESS_MS, leaderOf } from './settings.ts';
import { Violation } from './violation.ts';
import type { Wiring } from './wiring.ts';

export interface StoreHostOptions {
  readonly name: string;
  readonly topic: StoredTopic;
  readonly placement: Placement;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkEndpoint;
  readonly openKeyValue: OpenKeyValue;
  readonly wiring: Wiring;
  readonly counts: StoreCounts;
  readonly copy: LogCopy;
  readonly pageCodec: PageCodec;
  readonly pointLimits: PointStoreLimits;
  readonly failed: (error: unknown) => void;
}

/** Counts of replicas by how they were created. */
export interface StoreCounts {
  copied: number;
  replayed: number;
  resumed: number;
  /** Replicas that a crash, or a copy, has left in the middle of a close. */
  closing: number;
}

interface Replica {
  readonly state: PointPartition | TagPartition;
  readonly consumer: LogConsumer;
  readonly keyValue: KeyValue;
}

const REPORT_MS = 3000;
const RETRY_MS = 1000;
/** Time after which the copy of the log is checked again. */
const COPY_MS = 100;
/** Max time between two slices of closing a bucket, and where these end. */
const CLOSE_TURN_MS = 100;
const CLOSE_SLICES = { sliceMs: 0, costPerCheck: 16 };
/** Max number of records of a replica that is replayed instead of copied. */
const FEW_RECORDS = 20;
const EVERYTHING = { from: Uint8Array.of(0), to: new Uint8Array(64).fill(255) };

/** The process of a store, with the replicas of points or tags that the placement assigns to it. */
export class StoreHost {
  readonly #options: StoreHostOptions;
  readonly #log: Pick<Log, 'read' | 'bounds'>;
  readonly #replicas = new Map<number, Replica>();
  /** Partitions whose data was deleted, to be copied from another replica. */
  readonly #wanted = new Set<number>();
  /** Follows the decisions to skip records, once `control` was read. */
  #control: ControlFollower | undefined;

  constructor(options: StoreHostOptions) {
    this.#options = options;
    const { wiring, network, random, clock, name } = options;
    this.#log = options.copy.watched(wiring.storeLog(new RemoteLog(network, random, clock), name));
  }

  get topic(): StoredTopic {
    return this.#options.topic;
  }

  /** Its open replicas, by partition. */
  get points(): ReadonlyMap<number, PointPartition> {
    const points = new Map<number, PointPartition>();
    for (const [partition, { state }] of this.#replicas) {
      if (state instanceof PointPartition) points.set(partition, state);
    }
    return points;
  }

  get tags(): ReadonlyMap<number, TagPartition> {
    const tags = new Map<number, TagPartition>();
    for (const [partition, { state }] of this.#replicas) {
      if (state instanceof TagPartition) tags.set(partition, state);
    }
    return tags;
  }

  replica(partition: number): PointPartition | TagPartition | undefined {
    return this.#replicas.get(partition)?.state;
  }

  /** Offset of the record that halted the partition; undefined while it reads, and for a halt that no skip can end. */
  haltedAt(partition: number): number | undefined {
    const halt = this.#replicas.get(partition)?.consumer.halt;
    return halt?.cause === 'record' ? halt.offset : undefined;
  }

  /** Deletes the data of a partition; a copy of another replica replaces it. */
  async rebuild(partition: number): Promise<void> {
    this.#wanted.add(partition);
    await this.#drop(partition, true);
  }

  /** As queries get it. */
  async aggregate(request: AggregateRequest): Promise<AggregateReply> {
    const points = this.#points(request);
    return this.#options.wiring.aggregate((one) => points.aggregate(one), this.#options.name)(request);
  }

  async start(): Promise<void> {
    const { placement, name, failed } = this.#options;
    for (const partition of placement.of(this.topic, name)) await this.#open(partition);
    this.#serve();
    this.#report().catch(failed);
    this.#follow().catch(failed);
    this.#followControl().catch(failed);
  }

  async #followControl(): Promise<void> {
    const { network, random, clock } = this.#options;
    while (this.#control === undefined) {
      try {
        const control = new ControlFollower(new RemoteLog(network, random, clock), clock);
        await control.start();
        this.#control = control;
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        await sleep(clock, RETRY_MS);
      }
    }
  }

  /** Opens and closes replicas according to the placement. */
  async #follow(): Promise<void> {
    const { clock, placement, name } = this.#options;
    for (;;) {
      await sleep(clock, RETRY_MS);
      const wanted = new Set(placement.of(this.topic, name));
      try {
        for (const partition of this.#replicas.keys())
          if (!wanted.has(partition)) await this.#drop(partition, this.#options.random.next() < 0.7);
        for (const partition of wanted) if (!this.#replicas.has(partition)) await this.#open(partition);
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
      }
    }
  }

  async #open(partition: number): Promise<void> {
    const { openKeyValue, wiring, clock, counts } = this.#options;
    const stored = await openKeyValue(`${this.topic}/${partition}`);
    const keyValue = wiring.keyValue(stored, clock);
    let state: PointPartition | TagPartition;
    try {
      state = await this.#load(partition, keyValue);
      if (await this.#wantsCopy(partition, state.nextOffset)) {
        await this.#copy(partition, stored);
        state = await this.#load(partition, keyValue);
      }
    } catch (error) {
      await stored.close();
      throw error;
    }
    if (state instanceof PointPartition && state.isClosing) counts.closing++;
    const consumer = new LogConsumer({
      log: this.#log,
      topic: this.topic,
      partition,
      state,
      clock,
      skipReason: (offset) => this.#control?.state.skipReason(this.topic, partition, offset),
      readBytes: 4096,
      readWaitMs: 1000,
      onHalt: (halt) => {
        if (halt !== undefined) this.#checkHalt(partition, halt);
      },
    });
    this.#replicas.set(partition, { state, consumer, keyValue: stored });
    consumer.start();
  }

  #checkHalt(partition: number, halt: Halt): void {
    const { name, clock, copy, placement, failed } = this.#options;
    // The log of a replica that moved away is trimmed. A process that was paused reads it once more.
    if (!placement.of(this.topic, name).includes(partition)) return;
    if (halt.cause === 'record' && halt.offset >= copy.of(this.topic, partition).length) {
      // The copy reads the record at the same time as the store, and has not got it yet.
      clock.setTimer(COPY_MS, () => this.#checkHalt(partition, halt));
      return;
    }
    if (copy.isDamaged(this.topic, partition, halt.offset)) return;
    const place = `${name}: ${this.topic}/${partition}`;
    failed(new Violation('partition-halts', `${place} at offset ${halt.offset}: ${halt.error.message}`));
  }

  #load(partition: number, keyValue: KeyValue): Promise<PointPartition | TagPartition> {
    if (this.topic === 'tags') return TagPartition.open({ keyValue, commitRecords: 5 });
    const { pointLimits: limits, pageCodec: codec, clock, random } = this.#options;
    const slicing: Slicing = {
      clock,
      ...CLOSE_SLICES,
      // Queries are answered in one turn, and buckets close in many: others are done meanwhile, and processes end.
      yieldTurn: async (forWhom) => {
        if (forWhom !== undefined) await sleep(clock, random.next() * CLOSE_TURN_MS);
      },
    };
    return PointPartition.open({ partition, keyValue, limits, latenessMs: () => LATENESS_MS, codec, slicing });
  }

  /** Creates a replica as a copy of another if the log no longer has its records, or at random. */
  async #wantsCopy(partition: number, nextOffset: number): Promise<boolean> {
    const { random, counts } = this.#options;
    const { first, next } = await this.#log.bounds(this.topic, partition);
    if (nextOffset < first || this.#wanted.has(partition)) return true;
    if (nextOffset > 0) {
      counts.resumed++;
      return false;
    }
    const isNew = next > FEW_RECORDS;
    if (isNew && random.next() < 0.5) return true;
    if (isNew) counts.replayed++;
    return false;
  }

  /** Copies the disk of another replica at some moment, as after a kill. */
  async #copy(partition: number, keyValue: KeyValue): Promise<void> {
    const { placement, name, network, counts } = this.#options;
    for (const owner of placement.owners(this.topic, partition)) {
      if (owner === name) continue;
      const entries = await network.call(owner, 'copy', partition).catch((error: unknown) => {
        if (!isTidemarkError(error)) throw error;
      });
      if (entries === undefined) continue;
      await keyValue.deleteRange(EVERYTHING.from, EVERYTHING.to);
      await keyValue.write(entries as KeyValueWrite[]);
      counts.copied++;
      this.#wanted.delete(partition);
      return;
    }
    throw new TidemarkError('unavailable', `no replica of ${this.topic}/${partition} can be copied`);
  }

  /** Closes a replica. Its data stays unless it is deleted, like a disk. */
  async #drop(partition: number, isDeleted: boolean): Promise<void> {
    const replica = this.#replicas.get(partition);
    if (replica === undefined) return;
    this.#replicas.delete(partition);
    await replica.consumer.stop().catch((error: unknown) => {
      if (!isTidemarkError(error)) throw error;
    });
    if (replica.state instanceof PointPartition) replica.state.close();
    if (isDeleted) {
      await replica.keyValue.deleteRange(EVERYTHING.from, EVERYTHING.to).catch((error: unknown) => {
        if (!isTidemarkError(error)) throw error;
      });
    }
    await replica.keyValue.close();
  }

  #serve(): void {
    const { network } = this.#options;
    const handle = <Request>(method: string, answer: (request: Request) => unknown) =>
      network.handle(method, async (body) => answer(body as Request));
    handle<number>('copy', async (partition) => {
      const replica = this.#replicas.get(partition);
      if (replica === undefined) throw notHere(this.topic, partition);
      const entries: KeyValueWrite[] = [];
      for await (const { key, value } of replica.keyValue.entries(EVERYTHING)) entries.push({ key, value });
      return entries;
    });
    handle('positions', (): PositionsReply => ({ positions: this.#positions() }));
    if (this.topic === 'points') {
      handle<AggregateRequest>('aggregate', (request) => this.aggregate(request));
      handle<PartitionStatusRequest>('status', (request) => {
        const { stateHashes, era } = this.#points(request).status;
        return PartitionStatusReply.create({ stateHashes, era });
      });
      return;
    }
    handle<MatchRequest>('match', (request) => {
      const tags = this.#tags(request);
      return this.#options.wiring.match((one) => tags.match(one))(request);
    });
    handle<DescribeMetricsRequest>('describeMetrics', (request) => this.#tags(request).describeMetrics(request));
    handle<DescribeTagsRequest>('describeTags', (request) => this.#tags(request).describeTags(request));
    handle<SeriesTagsRequest>('seriesTags', (request) => this.#tags(request).seriesTags(request));
    handle<TagPartitionStatusRequest>('status', (request) => {
      return TagPartitionStatusReply.create({ stateHashes: [...this.#tags(request).status().stateHashes] });
    });
  }

  #positions(): ReplicaPosition[] {
    return [...this.#replicas].map(([partition, { state, consumer }]) => ({
      ...state.position,
      ...consumer.position,
      partition,
    }));
  }

  #points({ partition }: { readonly partition: number }): PointPartition {
    const state = this.replica(partition);
    if (!(state instanceof PointPartition)) throw notHere(this.topic, partition);
    return state;
  }

  #tags({ partition }: { readonly partition: number }): TagPartition {
    const state = this.replica(partition);
    if (!(state instanceof TagPartition)) throw notHere(this.topic, partition);
    return state;
  }

  /** Reports commits, so that the log can be trimmed below them. */
  async #report(): Promise<void> {
    const { network, clock, placement, name } = this.#options;
    for (;;) {
      await sleep(clock, REPORT_MS);
      for (const broker of BROKERS) {
        const places = [...this.#replicas].flatMap(([partition, { state }]): ReportedOffset[] => {
          const ownership = placement.ownership(this.topic, partition, name);
          if (ownership === undefined || leaderOf(this.topic, partition) !== broker) return [];
          return [{ topic: this.topic, partition, offset: state.committedOffset, ownership }];
        });
        if (places.length > 0) await network.call(broker, 'committed', places).catch(() => undefined);
      }
    }
  }
}

function notHere(topic: StoredTopic, partition: number): TidemarkError {
  return new TidemarkError('not_found', `${topic}/${partition} is not here`);
}
