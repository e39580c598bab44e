import { join } from 'node:path';
import { type ArchivedDay, type ArchiveParts, archiveDay, type DayPlace, placeToArchive } from '@tidemark/archive';
import { IdHash, SIP_KEY_BYTES } from '@tidemark/bytes';
import { DAY_MS } from '@tidemark/model';
import { DayPoints, PageCodec, type PartitionStoreOptions } from '@tidemark/point-store';
import {
  type Disk,
  isTidemarkError,
  type ObjectStore,
  type Random,
  restoredError,
  type Slicing,
  TidemarkError,
  WorkSlice,
} from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import type { SnapshotStore } from '@tidemark/snapshot';
import { SeriesNames, TAG_STORE_VERSION } from '@tidemark/tag-store';
import { restoreNewest } from './restore-newest.ts';
import type { ArchivedFacts, ArchiveTask } from './snapshot-messages.ts';

/** Each database of an archive is read once. */
const OPEN_FILES = 64;

export interface ArchiveCopyParts {
  readonly objects: ObjectStore;
  /** Snapshots of the tag store of the partition. */
  readonly tags: SnapshotStore;
  /** Of the folder of the data, and its path. */
  readonly disk: Disk;
  readonly folder: string;
  readonly random: Random;
  readonly slicing: Slicing;
}

/**
 * Archives generations of days, one after the other, from the copy of a point store's database, with the names of the newest
 * snapshot of the tag store: a copy of that database is in another process. Those that the object store has are passed over.
 * Errors: those of `archiveDay`, `DayPoints.open`, the object store and the disk; `failed_precondition` without a snapshot of the tag
 * store; the reason of `signal`.
 */
export async function archiveCopy(
  parts: ArchiveCopyParts,
  { partition, copy, namesFolder, places, limits }: ArchiveTask,
  signal: AbortSignal,
  report: (archived: ArchivedFacts) => void,
): Promise<void> {
  const { objects, disk, folder, random, slicing } = parts;
  const missing: DayPlace[] = [];
  for (const place of places) {
    const own = await placeToArchive(objects, place, { signal });
    if (own !== undefined) missing.push(own);
  }
  if (missing.length === 0) return;
  const codec = new PageCodec();
  const idHash = new IdHash(random.bytes(SIP_KEY_BYTES));
  const slice = new WorkSlice(slicing, signal);
  let first: TidemarkError | undefined;
  try {
    const names = await namesOf(parts, namesFolder, idHash, signal);
    const keyValue = await openRocksDb(join(folder, copy), { maxOpenFiles: OPEN_FILES });
    try {
      const failed = new Set<number>();
      for (const place of missing) {
        // In order: the last cut that is archived says what the object store has.
        if (failed.has(place.day)) continue;
        try {
          const options = { partition, keyValue, limits, idHash, codec };
          report(factsOf(await archivePlace(options, { objects, names, pages: codec.writer, slice }, place, signal)));
        } catch (error) {
          // A day that can't be archived does not hold up the others.
          if (signal.aborted || !isOfDay(error)) throw error;
          failed.add(place.day);
          first ??= error;
        }
      }
    } finally {
      await keyValue.close();
    }
  } finally {
    await disk.remove(namesFolder);
  }
  if (first !== undefined) throw first;
}

/** True for an error about one generation, and not about the object store or the disk. */
function isOfDay(error: unknown): error is TidemarkError {
  return (
    isTidemarkError(error, 'failed_precondition') ||
    isTidemarkError(error, 'data_loss') ||
    isTidemarkError(error, 'aborted')
  );
}

async function archivePlace(
  options: PartitionStoreOptions,
  parts: Omit<ArchiveParts, 'points'>,
  place: DayPlace,
  signal: AbortSignal,
): Promise<ArchivedDay> {
  const { day, fromOffset, toOffset: offset } = place;
  const cut = { fromMs: day * DAY_MS, toMs: (day + 1) * DAY_MS, fromOffset, offset };
  const points = await DayPoints.open(options, cut, parts.slice);
  try {
    return await archiveDay({ ...parts, points }, place, { signal });
  } finally {
    points.close();
  }
}

/** The names of the newest snapshot of the tag store that can be read. They are right in any log: ids are hashes of them. */
async function namesOf(
  { tags, disk, folder }: ArchiveCopyParts,
  namesFolder: string,
  idHash: IdHash,
  signal: AbortSignal,
): Promise<SeriesNames> {
  await disk.remove(namesFolder);
  const any = { logId: undefined, fromOffset: 0, toOffset: Number.MAX_SAFE_INTEGER, askedMs: 0, without: [] };
  const outcome = await restoreNewest(
    tags,
    { ...any, format: TAG_STORE_VERSION },
    { disk, folder: namesFolder },
    signal,
  );
  if (outcome.state === 'failed') throw restoredError(outcome.error);
  if (outcome.state !== 'restored') {
    const { kind, partition } = tags.place;
    const text = `no snapshot of ${kind}/${partition}, which has the names of the series, can be used: ${outcome.found}`;
    throw new TidemarkError('failed_precondition', text, { partition });
  }
  const keyValue = await openRocksDb(join(folder, namesFolder), { maxOpenFiles: OPEN_FILES });
  try {
    return await SeriesNames.open(keyValue, idHash);
  } finally {
    await keyValue.close();
  }
}

function factsOf({ segments, ...archived }: ArchivedDay): ArchivedFacts {
  const { day, toOffset, namesBytes } = archived;
  const sum = (of: 'bytes' | 'points' | 'series') => segments.reduce((all, one) => all + one[of], 0);
  return { day, toOffset, points: sum('points'), series: sum('series'), bytes: sum('bytes') + namesBytes };
}
