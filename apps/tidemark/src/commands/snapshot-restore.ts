import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { EMBEDDED_LOG_LOCK } from '@tidemark/embedded-log';
import { settingsCommand } from '@tidemark/executable';
import { refuseLockedFolder, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import type { ObjectPlace } from '@tidemark/object-storage';
import { TidemarkError } from '@tidemark/ports';
import { MADE, type RestoredPlatform, type RestoredStore, restoreDataFolder } from '@tidemark/restore';
import type { SnapshotPlace } from '@tidemark/snapshot';
import type { Command } from 'commander';
import { tableOrJson } from '../format-option.ts';
import { tableOf } from '../list-output.ts';
import { print } from '../printable.ts';
import { ProgressLine } from '../progress-line.ts';
import { withObjects } from '../snapshot-objects.ts';

interface RestoreCommandOptions {
  readonly log?: string;
  readonly acceptLoss?: boolean;
  readonly format: 'table' | 'json';
}

/** The command that makes the data folder of a platform whose disk was lost. */
export function restoreCommand(): Command {
  const restore = settingsCommand('restore', 'make the data folder again, of a platform whose disk was lost')
    .option('--log <id>', 'of which platform, if the object store has several: the beginning of the id of its log')
    .option(
      '--accept-loss',
      'begin stores empty of which no snapshot can be used, or use an older copy of keys and decisions',
    )
    .addOption(tableOrJson());
  return restore.action(async ({ log, acceptLoss = false, format }: RestoreCommandOptions) =>
    withObjects(restore, async ({ settings, place, objects }) => {
      const folder = resolve(settings.data.folder);
      await refuseLockedFolder(join(folder, 'log', EMBEDDED_LOG_LOCK));
      const parts = {
        ...{ objects, folder, kept: entriesOf(place, folder), user: `tidemark restore ${process.pid}` },
        ...{ clock: new SystemClock(), random: new SystemRandom() },
        stores: { limits: settings.store, latenessMs: settings.completeness.latenessMs },
      };
      const line = new ProgressLine(process.stderr, () => performance.now());
      const onProgress = ({ kind, partition }: SnapshotPlace, doneBytes: number, totalBytes: number): void => {
        line.show(`${kind}/${partition}`, doneBytes, totalBytes);
      };
      const restored = await restoreDataFolder(parts, { logId: log, acceptLoss, onProgress }).finally(() =>
        line.clear(),
      );
      print(format === 'json' ? JSON.stringify(factsOf(restored), undefined, 2) : textOf(restored, folder));
    }),
  );
}

/**
 * The entry of the data folder that has the objects, if they are there. Throws `invalid_argument` where the restore would write next
 * to them.
 */
function entriesOf(place: ObjectPlace, folder: string): string[] {
  if (place.store !== 'folder') return [];
  const [entry] = relative(folder, resolve(place.folder)).split(sep);
  if (entry === '..' || isAbsolute(entry)) return [];
  if (entry !== '' && !MADE.includes(entry)) return [entry];
  const text = `objects.folder: ${place.folder} (limit: outside of ${[...MADE].join(', ')} of the data folder ${folder})`;
  throw new TidemarkError('invalid_argument', `${text}: copy the objects to another place, and name that`, {
    field: 'objects.folder',
  });
}

function factsOf({ copy, keys, lostDecisions, stores, passed }: RestoredPlatform) {
  return {
    ...{ log: copy.logId, decidedThrough: new Date(copy.createdMs).toISOString(), keys, lostDecisions, passed },
    stores: stores.map(storeFacts),
  };
}

function storeFacts({ of: { kind, partition }, snapshot, offset, passed }: RestoredStore) {
  const { watermarkMs } = snapshot ?? {};
  return {
    ...{ of: `${kind}/${partition}`, snapshot: snapshot?.id, offset },
    completeThrough: watermarkMs === undefined ? undefined : new Date(watermarkMs).toISOString(),
    passed,
  };
}

function textOf(restored: RestoredPlatform, folder: string): string {
  const { log, decidedThrough, keys, lostDecisions, passed, stores } = factsOf(restored);
  const head = ['of', 'snapshot', 'offset', 'complete through'];
  const rows = stores.map((one) => [one.of, one.snapshot ?? 'none: empty', one.offset, one.completeThrough ?? '']);
  const wrong = [...passed, ...stores.flatMap((one) => one.passed.map((why) => `${one.of}: ${why}`))];
  return [
    tableOf(head, rows),
    ...wrong.map((why) => `passed over: ${why}`),
    `${keys === 1 ? '1 key is' : `${keys} keys are`} restored, with what else was decided until ${decidedThrough}`,
    ...(lostDecisions > 0
      ? [`before that, the lost log had lost ${lostDecisions} records of control, perhaps keys`]
      : []),
    `${folder} is whole, and continues the log ${log}: start the platform with the same settings`,
    'what the lost platform acknowledged after these snapshots is lost, and answers name it as gaps',
    ...(wrong.length > 0 ? ['compare the keys (tidemark keys list), and revoke those that were revoked before'] : []),
    'the lost platform must not run again with this object store',
  ].join('\n');
}
