import { type KeyValue, TidemarkError } from '@tidemark/ports';
import type { StoreKind } from '@tidemark/store-rpc';

/** Key of the entry. No state has a key that begins with this byte. */
const KEY = Uint8Array.of(0xf1);

/**
 * Checks that a database is that of its folder, or marks a new one. Errors: `data_loss` when it is another one's, as after two
 * folders were swapped; those of the database.
 */
export async function checkIdentity(
  keyValue: Pick<KeyValue, 'get' | 'write'>,
  kind: StoreKind,
  partition: number,
  folder: string,
): Promise<void> {
  const own = `${kind}/${partition}`;
  const stored = await keyValue.get(KEY);
  if (stored === undefined) return keyValue.write([{ key: KEY, value: new TextEncoder().encode(own) }]);
  const found = new TextDecoder().decode(stored);
  if (found === own) return;
  const back = 'bring back what belongs here; it may be in a folder whose name ends with .damaged-…';
  const next = `Stop the platform, move ${folder} to the folder of ${found}, and ${back}`;
  throw new TidemarkError('data_loss', `${folder} has the database of ${found}`, { folder, found, next });
}
