import { ifStored, isTidemarkError, listedObjects, type ObjectStore, TidemarkError } from '@tidemark/ports';
import { type ArchivedDay, decodeDay } from './day-manifest.ts';
import { type DayKey, dayOfManifest, manifestKey, prefixOfDays } from './day-place.ts';

export interface ListDaysOptions {
  readonly partition?: number | undefined;
  /** With a partition. */
  readonly day?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A manifest that can't be used, and why. */
export interface UnreadableDay {
  readonly key: string;
  readonly error: TidemarkError;
}

/** The manifests that are there: those of all partitions, of one, or of a day; by partition, day and cut. Errors: those of the store. */
export async function dayKeys(
  objects: Pick<ObjectStore, 'list'>,
  { partition, day, signal }: ListDaysOptions = {},
): Promise<DayKey[]> {
  const prefix = prefixOfDays({ ...(partition !== undefined && { partition }), ...(day !== undefined && { day }) });
  const found: DayKey[] = [];
  for await (const { key } of listedObjects(objects, prefix, { ...(signal && { signal }) })) {
    const place = dayOfManifest(key);
    if (place !== undefined) found.push(place);
  }
  return found.sort((a, b) => a.partition - b.partition || a.day - b.day || a.toOffset - b.toOffset);
}

/**
 * Reads the manifest of a generation; undefined where it is gone. Errors: those of `decodeDay` and of the store; `data_loss` for the
 * manifest of another generation.
 */
export async function readDay(
  objects: Pick<ObjectStore, 'get'>,
  place: DayKey,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ArchivedDay | undefined> {
  const key = manifestKey(place);
  const { signal } = options;
  const stored = await ifStored(objects.get(key, { ...(signal && { signal }) }));
  if (stored === undefined) return undefined;
  const found = decodeDay(stored.bytes, key);
  for (const field of ['partition', 'day', 'toOffset'] as const) {
    if (found[field] === place[field]) continue;
    const text = `object ${key}, ${field}: ${found[field]} (limit: ${place[field]}, as in its key)`;
    throw new TidemarkError('data_loss', text, { key, field });
  }
  return found;
}

/** The archived generations of all partitions, of one, or of a day, and those whose manifest can't be used. */
export async function listDays(
  objects: Pick<ObjectStore, 'list' | 'get'>,
  options: ListDaysOptions = {},
): Promise<{ readonly days: readonly ArchivedDay[]; readonly unreadable: readonly UnreadableDay[] }> {
  const days: ArchivedDay[] = [];
  const unreadable: UnreadableDay[] = [];
  for (const place of await dayKeys(objects, options)) {
    try {
      const found = await readDay(objects, place, options);
      if (found !== undefined) days.push(found);
    } catch (error) {
      if (!isOfManifest(error)) throw error;
      unreadable.push({ key: manifestKey(place), error });
    }
  }
  return { days, unreadable };
}

/** True for an error that says that a manifest can't be used. */
function isOfManifest(error: unknown): error is TidemarkError {
  return isTidemarkError(error, 'data_loss') || (isTidemarkError(error) && error.detail.reason === 'newer');
}
