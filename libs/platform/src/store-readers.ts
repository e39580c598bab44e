import type { PointStoreReader, QueryStores, TagStoreReader } from '@tidemark/query';
import type { StoreThreads } from './store-threads.ts';

/** The stores of this process as the query service knows them. */
export function storeReaders(threads: StoreThreads): QueryStores {
  return {
    pointStore: (partition): PointStoreReader => ({
      aggregate: (request) => threads.call('aggregate', partition, request),
      status: (request) => threads.call('pointStatus', partition, request),
    }),
    tagStore: (partition): TagStoreReader => ({
      match: (request) => threads.call('match', partition, request),
      describeMetrics: (request) => threads.call('describeMetrics', partition, request),
      describeTags: (request) => threads.call('describeTags', partition, request),
      seriesTags: (request) => threads.call('seriesTags', partition, request),
      status: (request) => threads.call('tagStatus', partition, request),
    }),
  };
}
