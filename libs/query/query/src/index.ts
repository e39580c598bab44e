export { pointStoreService, queryService, tagStoreService } from './grpc-services.ts';
export type { GrpcStoreOptions } from './grpc-stores.ts';
export { grpcPointStore, grpcTagStore } from './grpc-stores.ts';
export type { QueryReader } from './query-reader.ts';
export type { QueryServiceOptions } from './query-service.ts';
export { QueryService } from './query-service.ts';
export type { QueryServiceLimits } from './query-service-limits.ts';
export { DEFAULT_QUERY_SERVICE_LIMITS } from './query-service-limits.ts';
export type { ReplicaLimits } from './replicas/replica-limits.ts';
export type { ReplicaCounters } from './replicas/replica-race.ts';
export type {
  PointStoreProcess,
  ReplicaStoresOptions,
  TagStoreProcess,
} from './replicas/replica-stores.ts';
export { ReplicaStores } from './replicas/replica-stores.ts';
export type { OnDivergence } from './replicas/replica-watch.ts';
export type {
  PointStateHasher,
  PointStoreReader,
  PositionsReader,
  QueryStores,
  ReplicaReport,
  SeriesCounter,
  TagStoreReader,
} from './stores.ts';
