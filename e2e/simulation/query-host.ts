import { ControlFollower } from '@tidemark/control-log';
import type { PartitionMap } from '@tidemark/model';
import { type Clock, isTidemarkError, type Random, TidemarkError } from '@tidemark/ports';
import { type QueryReader, QueryService } from '@tidemark/query';
import { type ReplicaCounters, ReplicaStores } from '@tidemark/replicas';
import type { NetworkEndpoint } from '@tidemark/simulation';
import type { PointStoreReader, PositionsReader, TagStoreReader } from '@tidemark/store-rpc';
import type { Placement } from './placement.ts';
import { RemoteLog } from './remote-log.ts';
import { LATENESS_MS, POINT_STORES, QUERY_LIMITS, TAG_STORES } from './settings.ts';
import type { Wiring } from './wiring.ts';

export interface QueryHostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkEndpoint;
  readonly placement: Placement;
  readonly wiring: Wiring;
}

/** The query node, which follows `control` and asks the most advanced replica of each partition first. */
export class QueryHost {
  readonly reader: QueryReader;
  readonly #options: QueryHostOptions;
  readonly #service: QueryService;
  readonly #control: ControlFollower;
  readonly #stores: ReplicaStores;

  constructor(options: QueryHostOptions) {
    this.#options = options;
    const { network, random, clock, wiring } = options;
    this.#control = new ControlFollower(new RemoteLog(network, random, clock), clock);
    // As in static settings: stores report later moves themselves.
    const { placement } = options;
    this.#stores = new ReplicaStores({
      points: POINT_STORES.map((name) => {
        return { name, reader: this.#points(name), partitions: placement.of('points', name) };
      }),
      tags: TAG_STORES.map((name) => ({ name, reader: this.#tags(name), partitions: placement.of('tags', name) })),
      clock,
      limits: { pollMs: 700, pollTimeoutMs: 1500, lostGraceMs: 1000 },
    });
    this.#service = new QueryService({
      stores: this.#stores,
      maps: () => wiring.maps(this.maps),
      mapsThroughMs: () => this.mapsThroughMs,
      eras: () => this.#control.state.eras,
      latenessMs: () => LATENESS_MS,
      clock,
      limits: wiring.queryLimits(QUERY_LIMITS),
    });
    this.reader = wiring.query(this.#service);
  }

  /** Memory of running queries, bytes. */
  get memoryBytes(): number {
    return this.#service.memoryBytes;
  }

  /** The newest map that it knows. */
  get mapEpoch(): number {
    return this.#control.state.map?.epoch ?? 0;
  }

  get maps(): readonly PartitionMap[] {
    return [...this.#control.state.maps.values()];
  }

  /** The newest era that it knows. */
  get era(): number {
    return this.#control.state.eras.current;
  }

  /** Time before which no point is accepted by an unknown map. */
  get mapsThroughMs(): number {
    return Math.floor(this.#control.state.mapsThroughMs);
  }

  /** Number of hedged requests and failovers. */
  get counters(): ReplicaCounters {
    return this.#stores.counters;
  }

  async start(): Promise<void> {
    await this.#control.start();
    await this.#stores.start();
  }

  #points(store: string): PointStoreReader & PositionsReader {
    return {
      aggregate: (request) => this.#ask(store, 'aggregate', request),
      status: (request) => this.#ask(store, 'status', request),
      positions: () => this.#ask(store, 'positions', undefined),
    };
  }

  #tags(store: string): TagStoreReader & PositionsReader {
    return {
      match: (request) => this.#ask(store, 'match', request),
      describeMetrics: (request) => this.#ask(store, 'describeMetrics', request),
      describeTags: (request) => this.#ask(store, 'describeTags', request),
      seriesTags: (request) => this.#ask(store, 'seriesTags', request),
      status: (request) => this.#ask(store, 'status', request),
      positions: () => this.#ask(store, 'positions', undefined),
    };
  }

  async #ask<T>(store: string, method: string, request: unknown): Promise<T> {
    try {
      return (await this.#options.network.call(store, method, request)) as T;
    } catch (error) {
      // A store that is starting is on the network before it serves.
      if (isTidemarkError(error, 'unimplemented')) throw new TidemarkError('unavailable', error.message);
      throw error;
    }
  }
}
