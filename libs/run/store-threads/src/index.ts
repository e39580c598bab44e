export type { StoreKind, StoreLog, StoreProblem } from './store-messages.ts';
export type { StoreReaders } from './store-readers.ts';
export { storeReaders } from './store-readers.ts';
export type { StoreThreadsOptions } from './store-threads.ts';
export { StoreThreads } from './store-threads.ts';
