import { join } from 'node:path';
import { ControlCopies } from '@tidemark/control-copy';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { LocalDisk, SystemRandom } from '@tidemark/node-runtime';
import { type ObjectPlace, objectPlace, objectPlaceText, openObjects } from '@tidemark/object-storage';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import { SNAPSHOTS_PREFIX } from '@tidemark/snapshot';

/** What a folder of a log has from its first start on. */
const LOG_FILES: readonly string[] = ['FORMAT', 'PARTITIONS', 'control', 'points', 'tags'];

const NEW_PLATFORM = 'for a new platform, set another objects.folder or objects.prefix';

/**
 * Refuses a data folder without a log while the object store has copies of a platform: its disk was probably lost, and a new platform
 * would number its records like the lost one. Errors: `failed_precondition`; those of the object store, since without its answer
 * this is not known.
 */
export async function refuseLostPlatform(folder: string, settings: Pick<Settings, 'objects' | 'data'>): Promise<void> {
  const place = objectPlace(settings);
  if (place === undefined || (await hasLog(folder))) return;
  const found = await foundIn(place, folder);
  if (found === undefined) return;
  throw new TidemarkError('failed_precondition', `${folder} has no log, and ${objectPlaceText(place)} has ${found}`, {
    path: folder,
  });
}

async function hasLog(folder: string): Promise<boolean> {
  const names = await new LocalDisk(join(folder, 'log')).list('');
  return names.some((name) => LOG_FILES.includes(name));
}

/** What an object store has of a platform; undefined for nothing. */
async function foundIn(place: ObjectPlace, folder: string): Promise<string | undefined> {
  try {
    const objects = await openObjects(place, new SystemRandom());
    try {
      const [newest] = await new ControlCopies(objects).list();
      if (newest !== undefined) {
        const made = new Date(newest.createdMs).toISOString();
        const next = `If its disk was lost, run \`${TIDEMARK_COMMAND} snapshot restore\` with the same settings`;
        return `copies of the platform of the log ${newest.logId}, the last of ${made}. ${next}; ${NEW_PLATFORM}`;
      }
      const [snapshot] = (await objects.list(SNAPSHOTS_PREFIX, { limit: 1 })).objects;
      return (
        snapshot &&
        `snapshots, but no copy of control. To restore them, bring back the objects control/…; ${NEW_PLATFORM}`
      );
    } finally {
      await objects.close();
    }
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    const text = `${folder} is new, and the object store can't be asked for copies of a platform: ${error.message}`;
    throw new TidemarkError(error.code, text, error.detail, { cause: error });
  }
}
