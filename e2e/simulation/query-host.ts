import { ControlFollower } from '@tidemark/control';
import type { PartitionMap } from '@tidemark/model';
import { below, type Clock, isTidemarkError, type Random, TidemarkError } from '@tidemark/ports';
import { type PointStoreReader, type QueryReader, QueryService, type TagStoreReader } from '@tidemark/query';
import type { NetworkEndpoint } from '@tidemark/simulation';
import type { Placement, StoredTopic } from './placement.ts';
import { RemoteLog } from './remote-log.ts';
import { LATENESS_MS } from './settings.ts';
import type { Wiring } from './wiring.ts';

export interface QueryHostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkEndpoint;
  readonly placement: Placement;
  readonly wiring: Wiring;
}

/** The query node: asks any replica of each partition, and the other when that one can't be reached. */
export class QueryHost {
  readonly reader: QueryReader;
  readonly #options: QueryHostOptions;
  readonly #control: ControlFollower;

  constructor(options: QueryHostOptions) {
    this.#options = options;
    const { network, random, clock, wiring } = options;
    this.#control = new ControlFollower(new RemoteLog(network, random, clock), clock);
    const service = new QueryService({
      stores: { pointStore: (partition) => this.#points(partition), tagStore: (partition) => this.#tags(partition) },
      maps: () => wiring.maps(this.maps),
      mapsThroughMs: () => this.mapsThroughMs,
      latenessMs: () => LATENESS_MS,
      clock,
      limits: { timeMs: 10_000, concurrentQueries: 1000, seriesSetBytes: 32, seriesSets: 8 },
    });
    this.reader = wiring.query(service);
  }

  /** The newest map that it knows of. */
  get mapEpoch(): number {
    return this.#control.state.map?.epoch ?? 0;
  }

  get maps(): readonly PartitionMap[] {
    return [...this.#control.state.maps.values()];
  }

  /** No point is accepted before it by a map that is not known here. */
  get mapsThroughMs(): number {
    return Math.floor(this.#control.state.mapsThroughMs);
  }

  start(): Promise<void> {
    return this.#control.start();
  }

  async #ask<T>(topic: StoredTopic, partition: number, method: string, request: unknown): Promise<T> {
    const { network, random, placement } = this.#options;
    const stores = placement.owners(topic, partition);
    const first = below(random, stores.length);
    // With one try in two, a replica that is away is a part that is missing from the answer.
    const tries = 1 + below(random, stores.length);
    for (let i = 0; ; i++) {
      try {
        return (await network.call(stores[(first + i) % stores.length], method, request)) as T;
      } catch (error) {
        // A store that is starting listens before it can answer, and one may have given the partition back.
        const isAway =
          isTidemarkError(error, 'unavailable') ||
          isTidemarkError(error, 'unimplemented') ||
          isTidemarkError(error, 'not_found');
        if (!isAway) throw error;
        if (i + 1 >= tries) throw new TidemarkError('unavailable', error.message);
      }
    }
  }

  #points(partition: number): PointStoreReader {
    return {
      aggregate: (request) => this.#ask('points', partition, 'aggregate', request),
      status: () => Promise.reject(new TidemarkError('unimplemented', 'status is not asked for here')),
    };
  }

  #tags(partition: number): TagStoreReader {
    return {
      match: (request) => this.#ask('tags', partition, 'match', request),
      describeMetrics: (request) => this.#ask('tags', partition, 'describeMetrics', request),
      describeTags: (request) => this.#ask('tags', partition, 'describeTags', request),
      seriesTags: (request) => this.#ask('tags', partition, 'seriesTags', request),
      status: () => Promise.reject(new TidemarkError('unimplemented', 'status is not asked for here')),
    };
  }
}
