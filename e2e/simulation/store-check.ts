import type { AggregateRequest } from '@tidemark/contract';
import type { ControlState } from '@tidemark/control-log';
import { SPACE_FOLD, TIME_FOLD } from '@tidemark/fold';
import { PointPartition } from '@tidemark/point-store';
import { below, type LogRecord, type Random, type Topic } from '@tidemark/ports';
import { Incarnation, SimulatedKeyValue } from '@tidemark/simulation';
import { TagPartition } from '@tidemark/tag-store';
import type { Cluster } from './cluster.ts';
import type { PlainConsumer } from './plain-consumer.ts';
import { UNEVEN_METRIC } from './series.ts';
import { LATENESS_MS, PARTITIONS } from './settings.ts';
import type { StoreHost } from './store-host.ts';
import type { SupervisedNode } from './supervised-node.ts';
import { Violation } from './violation.ts';

/** Width of the steps of compared answers: each has several points. */
const STEP_MS = 5000;

interface Sample {
  readonly topic: Topic;
  readonly partition: number;
  readonly store: string;
  readonly offset: number;
  readonly hash: string;
}

interface ClosedBucket {
  readonly partition: number;
  readonly store: string;
  readonly bucketMs: number;
  readonly offset: number;
  readonly hash: string;
}

interface Position {
  readonly era: number;
  readonly partition: number;
  readonly store: string;
  readonly offset: number;
  readonly watermarkMs: number;
  readonly points: number;
  readonly latePoints: number;
  readonly duplicatePoints: number;
}

/**
 * Inspects the running stores from time to time. At the end each position must be that of the plain consumer at the
 * same offset, and each state hash that of a store which replays the same prefix without interruption.
 */
export class StoreCheck {
  readonly #cluster: Cluster;
  /** What the decisions say. */
  readonly #truth: ControlState;
  readonly #random: Random;
  readonly #samples = new Map<string, Sample>();
  readonly #positions: Position[] = [];
  readonly #buckets = new Map<string, ClosedBucket>();
  /** Number of compared buckets by store. */
  readonly #bucketsOf = new Set<string>();
  /** Number of compared answers of two replicas at one offset. */
  answers = 0;
  /** Number of compared hashes of a bucket of two replicas. */
  bucketHashes = 0;
  /** Number of compared hashes of two replicas at one offset. */
  replicas = 0;
  positions = 0;
  replays = 0;
  /** Number of buckets that a store had closed at the end. */
  bucketsClosed = 0;

  constructor(cluster: Cluster, truth: ControlState) {
    this.#cluster = cluster;
    this.#truth = truth;
    this.#random = cluster.world.random.fork('stores');
  }

  check(): void {
    for (const { name, host } of this.#cluster.stores) {
      for (const [partition, store] of host?.points ?? []) {
        const { era, offset, points, latePoints, duplicatePoints, stateHashes } = store.status;
        const { watermarkMs = Number.NEGATIVE_INFINITY } = store.status;
        this.#positions.push({ era, partition, store: name, offset, watermarkMs, points, latePoints, duplicatePoints });
        for (const bucket of stateHashes) this.#keepBucket({ ...bucket, partition, store: name });
      }
    }
  }

  /** Checks that every close of a bucket at one offset, by every replica, has the same content. */
  #keepBucket(closed: ClosedBucket): void {
    const key = `${closed.partition}/${closed.bucketMs}/${closed.offset}`;
    const known = this.#buckets.get(key);
    if (known === undefined) {
      this.#buckets.set(key, closed);
      return;
    }
    if (known.store !== closed.store && !this.#bucketsOf.has(`${key}/${closed.store}`)) {
      this.#bucketsOf.add(`${key}/${closed.store}`);
      this.bucketHashes++;
    }
    if (known.hash === closed.hash) return;
    const said = ({ store, offset, hash }: ClosedBucket) => `${store} ${hash} at offset ${offset}`;
    throw new Violation('equal-buckets', `bucket ${key}: ${said(known)}, ${said(closed)}`);
  }

  /** Records the state hash of one partition of one store. */
  async sample(): Promise<void> {
    for (const topic of ['points', 'tags']) {
      const stores = this.#cluster.stores.filter(({ host }) => host?.topic === topic);
      if (stores.length > 0)
        await this.sampleOf(stores[below(this.#random, stores.length)], below(this.#random, PARTITIONS));
    }
  }

  async sampleOf({ name, node, host }: SupervisedNode<StoreHost>, partition: number): Promise<void> {
    const tags = host?.tags.get(partition);
    if (tags !== undefined) {
      this.#keep({ topic: 'tags', partition, store: name, offset: tags.nextOffset, hash: tags.stateHash() });
    }
    const points = host?.points.get(partition);
    if (points === undefined) return;
    // What a record lets expire goes with the commit that follows.
    if (this.#cluster.pointLimits.retentionMs > 0 && points.wantsCommit) return;
    const offset = points.nextOffset;
    const hash = await node.orCrash(points.stateHash()).catch(() => undefined);
    if (hash === undefined || points.nextOffset !== offset) return;
    this.#keep({ topic: 'points', partition, store: name, offset, hash });
  }

  #keep(sample: Sample): void {
    const key = `${sample.topic}/${sample.partition}/${sample.offset}`;
    const known = this.#samples.get(key);
    this.#samples.set(key, sample);
    if (known === undefined) return;
    if (known.store !== sample.store) this.replicas++;
    if (known.hash === sample.hash) return;
    throw new Violation(
      'equal-state',
      `${sample.topic}/${sample.partition} at offset ${sample.offset}: ${known.store} has ${known.hash}, ${sample.store} ${sample.hash}`,
    );
  }

  /** Sends two replicas the same query: at equal offsets the answers must be equal, to the last bit of their sums. */
  async compareAnswers(): Promise<void> {
    if (this.#random.next() < 0.5) return;
    const { stores, ledger, world } = this.#cluster;
    const partition = below(this.#random, PARTITIONS);
    const series = ledger.names.all.filter(({ metric }) => metric === UNEVEN_METRIC);
    const owners = stores.filter(({ host }) => host?.points.get(partition) !== undefined);
    if (series.length === 0 || owners.length < 2) return;
    const toMs = Math.ceil(world.clock.wallMs() / STEP_MS) * STEP_MS;
    const request: AggregateRequest = {
      ...{ partition, metricId: series[0].metricId, fromMs: toMs - 8 * STEP_MS, toMs, stepMs: STEP_MS, maxPoints: 0 },
      ...{ tagsOffset: Number.MAX_SAFE_INTEGER, timeFold: TIME_FOLD.points, latenessMs: 0, spaceFold: SPACE_FOLD.sum },
      groups: [{ digest: Buffer.alloc(0), series: Buffer.concat(series.map(({ idBytes }) => idBytes)) }],
    };
    const answers = await Promise.all(
      owners.map(async ({ name, node, host }) => {
        const reply = await node.orCrash(Promise.resolve(host?.aggregate(request))).catch(() => undefined);
        // The points of an expired bucket go one after the other.
        const isWhole = (reply?.deletedBeforeMs ?? request.fromMs) <= request.fromMs;
        return { name, offset: isWhole ? reply?.offset : undefined, sums: reply?.groups[0].sum.toString('hex') };
      }),
    );
    const [first, ...others] = answers;
    for (const other of others) {
      if (first.offset === undefined || other.offset !== first.offset) continue;
      this.answers++;
      if (other.sums === first.sums) continue;
      throw new Violation(
        'equal-answers',
        `points/${partition} at offset ${first.offset}: ${first.name} answers ${first.sums}, ${other.name} ${other.sums}`,
      );
    }
  }

  countBuckets(): void {
    for (const { host } of this.#cluster.stores) {
      for (const store of host?.points.values() ?? []) this.bucketsClosed += store.status.stateHashes.length;
    }
  }

  /** Checks that each bucket closed once in each era, at one offset. */
  checkCloses(plain: readonly PlainConsumer[]): void {
    const closes = new Map<string, ClosedBucket>();
    for (const closed of this.#buckets.values()) {
      const era = plain[closed.partition].positions[closed.offset - 1]?.era;
      const key = `${closed.partition}/${closed.bucketMs} in era ${era}`;
      const known = closes.get(key) ?? closes.set(key, closed).get(key);
      if (known === closed) continue;
      const message = `bucket ${key}: ${known?.store} closed it at ${known?.offset}, ${closed.store} at ${closed.offset}`;
      throw new Violation('equal-buckets', message);
    }
  }

  checkPositions(plain: readonly PlainConsumer[]): void {
    for (const position of this.#positions) {
      if (position.offset === 0) continue;
      const expected = plain[position.partition].positions[position.offset - 1];
      this.positions++;
      for (const field of ['era', 'watermarkMs', 'points', 'latePoints', 'duplicatePoints'] as const) {
        if (expected?.[field] === position[field]) continue;
        throw new Violation(
          'store-position',
          `${position.store}, partition ${position.partition} at offset ${position.offset}: ` +
            `${field} is ${position[field]}, by the log it is ${expected?.[field]}`,
        );
      }
    }
  }

  /** Replays each partition from its first record into a new store with commits at other offsets. */
  async checkReplay(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await this.#replay('points', partition, (options) =>
        PointPartition.open({ ...options, codec: this.#cluster.pageCodec }),
      );
      await this.#replay('tags', partition, async ({ keyValue }) =>
        TagPartition.open({ keyValue, commitRecords: 1 + below(this.#random, 30) }),
      );
    }
  }

  async #replay(
    topic: Topic,
    partition: number,
    open: (options: Parameters<typeof PointPartition.open>[0]) => Promise<PointPartition | TagPartition>,
  ): Promise<void> {
    const samples = [...this.#samples.values()].filter((one) => one.topic === topic && one.partition === partition);
    const byOffset = new Map(samples.map((sample) => [sample.offset, sample]));
    const last = Math.max(0, ...byOffset.keys());
    const { clock, random } = this.#cluster.world;
    const machine = new SimulatedKeyValue({
      clock,
      random: random.fork(`replay/${topic}/${partition}`),
      maxLatencyMs: 0,
    });
    const keyValue = await machine.bind(new Incarnation('replay'))('store');
    const limits = { ...this.#cluster.pointLimits, commitRows: 1 + below(this.#random, 200) };
    const store = await open({ partition, keyValue, limits, latenessMs: () => LATENESS_MS });
    const records = this.#cluster.copy.of(topic, partition);
    const timesMs = this.#cluster.copy.timesMs(topic, partition);
    for (let offset = 0; offset <= last; offset++) {
      const sample = byOffset.get(offset);
      if (sample !== undefined) {
        this.replays++;
        const hash = await store.stateHash();
        if (hash !== sample.hash) {
          throw new Violation(
            'replay',
            `${topic}/${partition} replayed up to ${offset} has the state ${hash}, ${sample.store} had ${sample.hash}`,
          );
        }
      }
      if (offset === last) return;
      const record = { offset, appendTimeMs: timesMs[offset], value: records[offset] };
      if (!this.#cluster.copy.isPassed(topic, partition, offset)) store.apply(record);
      else if (store.nextOffset === offset) this.#skip(store, topic, partition, record);
      if (store.wantsCommit) await store.commit();
    }
  }

  /** Passes the gap at a record, as its skip was decided. */
  #skip(store: PointPartition | TagPartition, topic: Topic, partition: number, record: LogRecord): void {
    const { copy } = this.#cluster;
    const reason = this.#truth.skipReason(topic, partition, record.offset);
    const place = `${topic}/${partition} at offset ${record.offset}`;
    if (reason === undefined) throw new Violation('partition-halts', `${place} was passed without a decision`);
    const isLost = copy.isLost(topic, partition, record.offset);
    let end = record.offset + 1;
    // Records that were lost later have a decision of their own.
    const isSameGap = () => copy.isLost(topic, partition, end) && !this.#truth.skipReason(topic, partition, end);
    while (isLost && isSameGap()) end++;
    store.skip(reason, { records: end - record.offset, ...(!isLost && { record }) });
  }
}
