import { openRocksDb, type RocksDbKeyValue } from '@tidemark/rocksdb';
import type { DatabaseId } from './damaged-database.ts';
import { checkIdentity } from './database-identity.ts';

/** Write buffer of RocksDB: a commit is about a MiB for 25,000 series, and each store has up to two buffers. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Of a database that is only checked. */
export const CHECK_OPEN_FILES = 20;

/** Opens the database in a folder, or makes it. Errors: those of RocksDB; `data_loss` where it is the database of another store. */
export async function openDatabase(
  { kind, partition }: DatabaseId,
  folder: string,
  maxOpenFiles: number | undefined,
): Promise<RocksDbKeyValue> {
  const keyValue = await openRocksDb(folder, { writeBufferBytes: WRITE_BUFFER_BYTES, maxOpenFiles });
  try {
    await checkIdentity(keyValue, kind, partition, folder);
    return keyValue;
  } catch (error) {
    await keyValue.close();
    throw error;
  }
}
