import type { PointStoreReader, QueryStores, TagStoreReader } from '@tidemark/query';
import type { StoreThreads } from './store-threads.ts';

/** The stores of this process as the query service knows them. */
export function storeReaders(threads: StoreThreads): QueryStores {
  return {
    pointStore: (partition): PointStoreReader => ({
      aggregate: (request, signal) => threads.call('aggregate', partition, request, signal),
      status: (request, signal) => threads.call('pointStatus', partition, request, signal),
    }),
    tagStore: (partition): TagStoreReader => ({
      match: (request, signal) => threads.call('match', partition, request, signal),
      describeMetrics: (request, signal) => threads.call('describeMetrics', partition, request, signal),
      describeTags: (request, signal) => threads.call('describeTags', partition, request, signal),
      seriesTags: (request, signal) => threads.call('seriesTags', partition, request, signal),
      status: (request, signal) => threads.call('tagStatus', partition, request, signal),
    }),
  };
}
