import { join } from 'node:path';
import { IdHash, SIP_KEY_BYTES } from '@tidemark/bytes';
import type { ConsumedState } from '@tidemark/log-consumer';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { PageCodec } from '@tidemark/point-store';
import { openStore, type SharedContext } from './consumed-store.ts';
import { type DatabaseId, databaseName } from './damaged-database.ts';
import { CHECK_OPEN_FILES, openDatabase } from './open-database.ts';
import { STORE_KINDS } from './store-kinds.ts';
import type { StoreWorkerOptions } from './store-messages.ts';

type StoreOptions = Pick<StoreWorkerOptions, 'limits' | 'latenessMs'>;

/**
 * Opens a database that no process has open, or makes it, and returns the offset up to which it has its log. `folder` has the
 * databases. Errors: `data_loss` where it can't be opened; those of the disk.
 */
export function databaseOffset(folder: string, id: DatabaseId, options: StoreOptions): Promise<number> {
  return withStore(folder, id, options, async ({ committedOffset }) => committedOffset);
}

/**
 * Lets a database that no process has open continue at the offset `to` of its log: what is before it is lost, and a gap that answers
 * name with `reason`. Errors: those of `databaseOffset`.
 */
export async function passLost(
  folder: string,
  id: DatabaseId,
  options: StoreOptions,
  { to, reason }: { readonly to: number; readonly reason: string },
): Promise<void> {
  await withStore(folder, id, options, async (state) => {
    const records = to - state.committedOffset;
    if (records <= 0) return;
    state.skip(reason, { records });
    await state.stop?.();
    await state.commit();
  });
}

async function withStore<T>(
  folder: string,
  { kind, partition }: DatabaseId,
  options: StoreOptions,
  task: (state: ConsumedState) => Promise<T>,
): Promise<T> {
  const { topic } = STORE_KINDS[kind];
  const place = { kind, partition, folder: join(folder, databaseName({ kind, partition })), topic };
  const keyValue = await openDatabase(place, place.folder, CHECK_OPEN_FILES);
  try {
    const idHash = new IdHash(new SystemRandom().bytes(SIP_KEY_BYTES));
    const shared: SharedContext = { clock: new SystemClock(), options, idHash, pageCodec: new PageCodec() };
    const store = await openStore(place, keyValue, shared);
    try {
      return await task(store.state);
    } finally {
      store.close?.();
    }
  } finally {
    await keyValue.close();
  }
}

/** Version of the format of the databases of a kind. */
export function databaseFormat(kind: DatabaseId['kind']): number {
  return STORE_KINDS[kind].format;
}
