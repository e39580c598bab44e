import { type Clock, TidemarkError } from '@tidemark/ports';
import { KnownSets } from '../known-sets.ts';
import type { PointStoreReader, PositionsReader, QueryStores, TagStoreReader } from '../stores.ts';
import { HedgeBudget, LatencyEstimate } from './hedging.ts';
import { PositionPoller } from './position-poller.ts';
import { DEFAULT_REPLICA_LIMITS, type ReplicaLimits } from './replica-limits.ts';
import { orderReplicas } from './replica-order.ts';
import { type ReplicaCounters, ReplicaRace } from './replica-race.ts';
import { StoreProcess, type StoreProcessOptions } from './store-process.ts';

/** A process of point stores: it answers for its partitions, and says how far each is. */
export type PointStoreProcess = StoreProcessOptions<PointStoreReader & PositionsReader>;
export type TagStoreProcess = StoreProcessOptions<TagStoreReader & PositionsReader>;

export interface ReplicaStoresOptions {
  readonly points: readonly PointStoreProcess[];
  readonly tags: readonly TagStoreProcess[];
  readonly clock: Clock;
  readonly limits?: Partial<ReplicaLimits>;
}

type PointProcess = StoreProcess<PointStoreReader & PositionsReader>;
type TagProcess = StoreProcess<TagStoreReader & PositionsReader>;

/**
 * The stores of a cluster, of which each partition has one or more replicas. Each request goes to the most advanced
 * replica that is there; `ReplicaRace` says when others are asked. Which replica answers changes nothing about what is
 * true of the answer: each says its own offset, watermark and, for the `tags` offset it was given, how far it is covered.
 * Series sets are named by what each replica knows.
 */
export class ReplicaStores implements QueryStores {
  readonly namesSets = true;
  readonly counters: ReplicaCounters = { requests: 0, hedges: 0, hedgesWon: 0, hedgesRefused: 0, failovers: 0 };
  readonly #clock: Clock;
  readonly #limits: ReplicaLimits;
  readonly #points: readonly PointProcess[];
  readonly #tags: readonly TagProcess[];
  readonly #poller: PositionPoller<StoreProcess<PositionsReader>>;
  readonly #knownSets: KnownSets;
  readonly #budget: HedgeBudget;
  /** By method: what is quick for one is slow for another. */
  readonly #latencies = new Map<string, LatencyEstimate>();
  #turn = 0;

  constructor({ points, tags, clock, limits }: ReplicaStoresOptions) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_REPLICA_LIMITS, ...limits };
    this.#points = points.map((process) => new StoreProcess(process));
    this.#tags = tags.map((process) => new StoreProcess(process));
    const processes: StoreProcess<PositionsReader>[] = [...this.#points, ...this.#tags];
    this.#poller = new PositionPoller({ processes, clock, limits: this.#limits });
    this.#knownSets = new KnownSets(this.#limits.seriesSets);
    this.#budget = new HedgeBudget(this.#limits);
  }

  /** Begins to watch the replicas; resolves when each was asked once. Before, they are asked in the order given. */
  start(): Promise<void> {
    return this.#poller.start();
  }

  stop(): Promise<void> {
    return this.#poller.stop();
  }

  pointStore(partition: number): PointStoreReader {
    return {
      aggregate: (request, signal) =>
        this.#ask('points', this.#points, partition, 'aggregate', signal, (process, within) =>
          this.#knownSets.naming(`${process.name}/${partition}`, process.reader).aggregate(request, within),
        ),
      status: (request, signal) =>
        this.#ask('points', this.#points, partition, 'status', signal, ({ reader }, within) =>
          reader.status(request, within),
        ),
    };
  }

  tagStore(partition: number): TagStoreReader {
    const asking =
      <Request, Reply>(
        method: string,
        call: (reader: TagStoreReader, request: Request, signal: AbortSignal) => Promise<Reply>,
      ) =>
      (request: Request, signal?: AbortSignal): Promise<Reply> =>
        this.#ask('tags', this.#tags, partition, method, signal, ({ reader }, within) => call(reader, request, within));
    return {
      match: asking('match', (reader, request, signal) => reader.match(request, signal)),
      describeMetrics: asking('describeMetrics', (reader, request, signal) => reader.describeMetrics(request, signal)),
      describeTags: asking('describeTags', (reader, request, signal) => reader.describeTags(request, signal)),
      seriesTags: asking('seriesTags', (reader, request, signal) => reader.seriesTags(request, signal)),
      status: asking('status', (reader, request, signal) => reader.status(request, signal)),
    };
  }

  async #ask<Reader extends PositionsReader, Reply>(
    topic: 'points' | 'tags',
    processes: readonly StoreProcess<Reader>[],
    partition: number,
    method: string,
    signal: AbortSignal | undefined,
    ask: (process: StoreProcess<Reader>, signal: AbortSignal) => Promise<Reply>,
  ): Promise<Reply> {
    const part = `${topic}/${partition}`;
    const replicas = orderReplicas(processes, partition, this.#limits, this.#turn++);
    if (replicas.length === 0) throw new TidemarkError('unavailable', `no process is known to have ${part}`, { part });
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
