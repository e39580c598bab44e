import { listedObjects, type ObjectStore } from '@tidemark/ports';
import { dayOfKey, dayOfManifest, prefixOfDays } from './day-place.ts';

/**
 * Deletes all objects of a partition's days before `firstKept` (days since 1970): of all of them the manifests first, so that no reader
 * finds a day of which a part is gone, unless it has read the manifest before. After a crash, and when others do the same, it
 * is repeated. Returns the days of which it found a manifest. Errors: those of the store.
 */
export async function expireDays(
  objects: Pick<ObjectStore, 'list' | 'delete'>,
  { partition, firstKept }: { readonly partition: number; readonly firstKept: number },
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<number[]> {
  const { signal } = options;
  const days = new Set<number>();
  const manifests: string[] = [];
  const others: string[] = [];
  for await (const { key } of listedObjects(objects, prefixOfDays({ partition }), options)) {
    const day = dayOfKey(key);
    // Days ascend; keys of another form are not of this program.
    if (Number.isNaN(day)) continue;
    if (day >= firstKept) break;
    if (dayOfManifest(key) === undefined) others.push(key);
    else {
      manifests.push(key);
      days.add(day);
    }
  }
  for (const keys of [manifests, others])
    if (keys.length > 0) await objects.delete(keys, { ...(signal && { signal }) });
  return [...days];
}
