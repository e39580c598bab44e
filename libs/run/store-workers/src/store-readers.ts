import {
  type PointStateHasher,
  type PointStoreReader,
  partitionReader,
  type QueryStores,
  type SeriesCounter,
  type TagStoreReader,
} from '@tidemark/store-rpc';
import type { StoreWorkers } from './store-workers.ts';

/** Readers of the stores of a process, by partition. */
export interface StoreReaders extends QueryStores {
  pointStore(partition: number): PointStoreReader & PointStateHasher;
  tagStore(partition: number): TagStoreReader & SeriesCounter;
}

/**
 * Returns readers of this process's stores for the query service and the coordinator. A request names its partition, so
 * one reader serves all partitions. Tested by `store-workers.test.ts`.
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
  return { pointStore: () => points, tagStore: () => tags };
}
