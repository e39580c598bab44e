export type { RocksDbOptions } from './rocksdb-key-value.ts';
export { openRocksDb, RocksDbKeyValue } from './rocksdb-key-value.ts';
