export type { CheckpointFile } from './checkpoint.ts';
export type { RocksDbOptions } from './rocksdb-key-value.ts';
export { openRocksDb, RocksDbKeyValue } from './rocksdb-key-value.ts';
export { type VerifyTablesOptions, verifyTables } from './verify-tables.ts';
