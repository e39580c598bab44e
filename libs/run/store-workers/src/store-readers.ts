import type { AggregatorReader } from '@tidemark/aggregator';
import type {
  PointStateHasher,
  PointStoreReader,
  PositionsReader,
  QueryStores,
  SeriesCounter,
  TagStoreReader,
} from '@tidemark/query';
import type { StoreWorkers } from './store-workers.ts';

/** What the stores of a process answer, each by its partition. */
export interface StoreReaders extends QueryStores {
  aggregator(partition: number): AggregatorReader;
  pointStore(partition: number): PointStoreReader & PointStateHasher;
  tagStore(partition: number): TagStoreReader & SeriesCounter;
  /** How far all point stores, and all tag stores, of the process are. */
  readonly pointPositions: PositionsReader;
  readonly tagPositions: PositionsReader;
}

/** The stores of this process as the query service, and the coordinator, know them. */
export function storeReaders(threads: StoreWorkers): StoreReaders {
  return {
    aggregator: (partition) => ({
      status: (request, signal) => threads.call('aggregatorStatus', partition, request, signal),
    }),
    pointPositions: { positions: (signal) => threads.positions('pointPositions', signal) },
    tagPositions: { positions: (signal) => threads.positions('tagPositions', signal) },
    pointStore: (partition) => ({
      aggregate: (request, signal) => threads.call('aggregate', partition, request, signal),
      status: (request, signal) => threads.call('pointStatus', partition, request, signal),
      stateHash: (request, signal) => threads.call('pointStateHash', partition, request, signal),
    }),
    tagStore: (partition) => ({
      match: (request, signal) => threads.call('match', partition, request, signal),
      describeMetrics: (request, signal) => threads.call('describeMetrics', partition, request, signal),
      describeTags: (request, signal) => threads.call('describeTags', partition, request, signal),
      seriesTags: (request, signal) => threads.call('seriesTags', partition, request, signal),
      status: (request, signal) => threads.call('tagStatus', partition, request, signal),
      seriesCounts: (request, signal) => threads.call('seriesCounts', partition, request, signal),
    }),
  };
}
