export { abortable } from './abortable.ts';
export { seriesSet } from './known-sets.ts';
export { remembering } from './remembering.ts';
export type { ReplicaLimits } from './replica-limits.ts';
export type { ReplicaCounters } from './replica-race.ts';
export type { PointStoreProcess, ReplicaStoresOptions, TagStoreProcess } from './replica-stores.ts';
export { ReplicaStores } from './replica-stores.ts';
export type { OnDivergence } from './replica-watch.ts';
