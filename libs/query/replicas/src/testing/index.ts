export { ModelReplica } from './model-replicas.ts';
export type { ModelPoint } from './model-stores.ts';
export { ModelStores } from './model-stores.ts';
