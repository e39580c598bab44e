import type { ReplicaDivergence, ReplicaStatus } from '@tidemark/contract';
import { type Clock, TidemarkError } from '@tidemark/ports';
import {
  methodOf,
  type PointStoreReader,
  type PositionsReader,
  type QueryStores,
  queryReader,
  type ReplicaReport,
  type TagStoreReader,
} from '@tidemark/store-rpc';
import { HedgeBudget, LatencyEstimate } from './hedging.ts';
import { PositionPoller } from './position-poller.ts';
import { Remembered } from './remembering.ts';
import type { ReplicaCheckpoint } from './replica-checkpoints.ts';
import { ReplicaIndex } from './replica-index.ts';
import { DEFAULT_REPLICA_LIMITS, type ReplicaLimits } from './replica-limits.ts';
import { orderReplicas } from './replica-order.ts';
import { type ReplicaCounters, ReplicaRace } from './replica-race.ts';
import { type OnDivergence, ReplicaWatch } from './replica-watch.ts';
import { StoreProcess, type StoreProcessOptions } from './store-process.ts';

/** A process of point stores, which answers for its partitions and reports the position of each. */
export type PointStoreProcess = StoreProcessOptions<PointStoreReader & PositionsReader>;
export type TagStoreProcess = StoreProcessOptions<TagStoreReader & PositionsReader>;

export interface ReplicaStoresOptions {
  readonly points: readonly PointStoreProcess[];
  readonly tags: readonly TagStoreProcess[];
  readonly clock: Clock;
  readonly limits?: Partial<ReplicaLimits>;
  /** Called when the states of replicas are found to differ, and when they agree again. */
  readonly onDivergence?: OnDivergence;
}

type PointProcess = StoreProcess<PointStoreReader & PositionsReader>;
type TagProcess = StoreProcess<TagStoreReader & PositionsReader>;

/**
 * The stores of a cluster, of which each partition has one or more replicas. Each request goes to the most advanced
 * reachable replica; `ReplicaRace` decides when others are asked. An answer is right from any replica, because each
 * reports its own offset, watermark and, for the `tags` offset of the request, how far it is covered. Series sets are
 * named by what each replica knows.
 */
export class ReplicaStores implements QueryStores {
  readonly counters: ReplicaCounters = { requests: 0, hedges: 0, hedgesWon: 0, hedgesRefused: 0, failovers: 0 };
  readonly #clock: Clock;
  readonly #limits: ReplicaLimits;
  readonly #points: readonly PointProcess[];
  readonly #tags: readonly TagProcess[];
  readonly #pointIndex: ReplicaIndex<PointProcess>;
  readonly #tagIndex: ReplicaIndex<TagProcess>;
  readonly #poller: PositionPoller<StoreProcess<PositionsReader>>;
  readonly #watch: ReplicaWatch;
  readonly #remembered: Remembered;
  readonly #budget: HedgeBudget;
  /** Latencies by method, because methods differ in their usual latency. */
  readonly #latencies = new Map<string, LatencyEstimate>();
  #turn = 0;

  constructor({ points, tags, clock, limits, onDivergence }: ReplicaStoresOptions) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_REPLICA_LIMITS, ...limits };
    this.#points = points.map((process) => new StoreProcess('points', process));
    this.#tags = tags.map((process) => new StoreProcess('tags', process));
    this.#pointIndex = new ReplicaIndex(this.#points);
    this.#tagIndex = new ReplicaIndex(this.#tags);
    this.#watch = new ReplicaWatch({
      ...{ clock, onDivergence },
      limits: this.#limits,
      checkpointsOf: (process, partition, signal) => this.#checkpointsOf(process, partition, signal),
    });
    this.#poller = new PositionPoller<StoreProcess<PositionsReader>>({
      processes: [...this.#points, ...this.#tags],
      clock,
      limits: this.#limits,
      onPositions: (process, hasMoved) => {
        if (hasMoved) (process.topic === 'points' ? this.#pointIndex : this.#tagIndex).clear();
        this.#watch.check(process);
      },
    });
    this.#remembered = new Remembered(this.#limits);
    this.#budget = new HedgeBudget(this.#limits);
  }

  get rememberedBytes(): number {
    return this.#remembered.bytes;
  }

  /** Starts to poll the replicas; resolves when each was polled once. Before, they are asked in the given order. */
  start(): Promise<void> {
    return this.#poller.start();
  }

  stop(): Promise<void> {
    this.#watch.stop();
    return this.#poller.stop();
  }

  /** Returns the last reported state of every replica, and the replicas that differ. */
  report(): ReplicaReport {
    const replicas = [...this.#points, ...this.#tags].flatMap(replicasOf);
    replicas.sort(
      (a, b) =>
        a.topic.localeCompare(b.topic) ||
        a.partition - b.partition ||
        a.process.localeCompare(b.process, 'en', { numeric: true }),
    );
    return { replicas, divergences: this.divergences };
  }

  get divergences(): readonly ReplicaDivergence[] {
    return this.#watch.divergences;
  }

  pointStore(partition: number): PointStoreReader {
    return queryReader(
      'points',
      (method) => (request, signal) =>
        this.#ask('points', this.#pointIndex.of(partition), partition, method, signal, (process, within) =>
          methodOf<'points'>(this.#remembered.points(`${process.name}/${partition}`, process.reader), method)(
            request,
            within,
          ),
        ),
    );
  }

  tagStore(partition: number): TagStoreReader {
    return queryReader(
      'tags',
      (method) => (request, signal) =>
        this.#ask('tags', this.#tagIndex.of(partition), partition, method, signal, (process, within) =>
          methodOf<'tags'>(this.#remembered.tags(`${process.name}/${partition}`, process.reader), method)(
            request,
            within,
          ),
        ),
    );
  }

  async #checkpointsOf(
    process: StoreProcess<PositionsReader>,
    partition: number,
    signal: AbortSignal,
  ): Promise<readonly ReplicaCheckpoint[]> {
    const points = this.#points.find((one) => one === process);
    if (points !== undefined) {
      const { stateHashes, era } = await points.reader.status({ partition }, signal);
      return stateHashes.map(({ bucketMs, offset, hash }) => ({ key: bucketMs, offset, hash, era }));
    }
    const tags = this.#tags.find((one) => one === process);
    const status = await tags?.reader.status({ partition }, signal);
    return (status?.stateHashes ?? []).map(({ offset, hash }) => ({ key: offset, offset, hash }));
  }

  async #ask<Reader extends PositionsReader, Reply>(
    topic: 'points' | 'tags',
    own: readonly StoreProcess<Reader>[],
    partition: number,
    method: string,
    signal: AbortSignal | undefined,
    ask: (process: StoreProcess<Reader>, signal: AbortSignal) => Promise<Reply>,
  ): Promise<Reply> {
    const part = `${topic}/${partition}`;
    const replicas = orderReplicas(own, partition, this.#limits, this.#turn++, (process) =>
      this.#watch.isOutvoted(process, partition),
    );
    if (replicas.length === 0)
      throw new TidemarkError(
        'unavailable',
        `no known process owns ${part}; check that a store of it runs, and cluster.* of the query service`,
        { part },
      );
    return new ReplicaRace({
      ...{ part, replicas, ask, signal },
      doubt: (process) => this.#poller.hurry(process),
      clock: this.#clock,
      limits: this.#limits,
      latency: this.#latencyOf(`${topic} ${method}`),
      budget: this.#budget,
      counters: this.counters,
    }).run();
  }

  #latencyOf(method: string): LatencyEstimate {
    let latency = this.#latencies.get(method);
    if (latency === undefined) {
      latency = new LatencyEstimate();
      this.#latencies.set(method, latency);
    }
    return latency;
  }
}

function replicasOf({ topic, name, state, seenMs, lastError, positions, owned }: StoreProcess<PositionsReader>) {
  const error = lastError === undefined ? '' : `${lastError.code}: ${lastError.message}`;
  return [...owned].map((partition): ReplicaStatus => {
    const position = positions.get(partition);
    return { topic, partition, process: name, state, seenMs: floored(seenMs), error, position };
  });
}

function floored(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.floor(value);
}
