export type { GrpcStoreOptions } from './grpc-store.ts';
export { grpcAggregator, grpcPointStore, grpcTagStore } from './grpc-store.ts';
export { isRefusal } from './is-refusal.ts';
export { decodedInPieces } from './message-pieces.ts';
export { changeMessage, changeOfMessage, metadataMessage, metadataOfMessage } from './metric-metadata.ts';
export { answerInSlices, callInSlices, requestedPartition } from './sliced-call.ts';
export type {
  MethodOf,
  PartitionMethod,
  ReplyOf,
  RequestOf,
  StoreKind,
  StoreReader,
  UntypedMethod,
} from './store-methods.ts';
export {
  definitionOf,
  methodOf,
  methodsOf,
  partitionReader,
  queryReader,
  reachOf,
  STORE_METHODS,
} from './store-methods.ts';
export type { AnswerBytes } from './store-service.ts';
export { addStoreService, asBuffer } from './store-service.ts';
export type {
  AggregatorReader,
  PointStateHasher,
  PointStoreReader,
  PositionsReader,
  QueryStores,
  ReplicaReport,
  SeriesCounter,
  TagStoreReader,
} from './stores.ts';
export { topLevelFields } from './top-level-fields.ts';
