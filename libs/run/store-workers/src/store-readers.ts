import {
  type AggregatorReader,
  type PointStateHasher,
  type PointStoreReader,
  type PositionsReader,
  partitionReader,
  type QueryStores,
  type SeriesCounter,
  type TagStoreReader,
} from '@tidemark/store-rpc';
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

/**
 * The stores of this process as the query service, and the coordinator, know them. A request names its partition, so one
 * reader serves all. Tested by `store-workers.test.ts`.
 */
export function storeReaders(workers: StoreWorkers): StoreReaders {
  const points = partitionReader(
    'points',
    (method) => (request, signal) => workers.callUntyped('points', method, request, signal),
  );
  const tags = partitionReader(
    'tags',
    (method) => (request, signal) => workers.callUntyped('tags', method, request, signal),
  );
  const aggregator = partitionReader(
    'aggregator',
    (method) => (request, signal) => workers.callUntyped('aggregator', method, request, signal),
  );
  return {
    aggregator: () => aggregator,
    pointPositions: { positions: (signal) => workers.positions('points', signal) },
    tagPositions: { positions: (signal) => workers.positions('tags', signal) },
    pointStore: () => points,
    tagStore: () => tags,
  };
}
