export { databaseFormat, databaseOffset, passLost } from './database-offset.ts';
export type {
  PassedOver,
  RestoredSnapshot,
  RestoreOutcome,
  RestoreRequest,
  StoreCheckpoint,
  StoreLog,
  StoreProblem,
} from './store-messages.ts';
export { NOT_COPIED } from './store-messages.ts';
export type { StoreReaders } from './store-readers.ts';
export { storeReaders } from './store-readers.ts';
export type { StoreWorkersOptions } from './store-workers.ts';
export { StoreWorkers } from './store-workers.ts';
