import { formatBytes } from '@tidemark/doctor';
import { settingsCommand } from '@tidemark/executable';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { type ObjectPlace, objectPlaceText } from '@tidemark/object-storage';
import { isTidemarkError, type ObjectStore } from '@tidemark/ports';
import {
  listSnapshots,
  type ReportProgress,
  type SnapshotManifest,
  SnapshotStore,
  snapshotPlaces,
  type UnreadableSnapshot,
  verifySnapshot,
} from '@tidemark/snapshot';
import { Command } from 'commander';
import { tableJsonOrCsv, tableOrJson } from '../format-option.ts';
import { csvOf, tableOf } from '../list-output.ts';
import { print } from '../printable.ts';
import { ProgressLine } from '../progress-line.ts';
import { GROUPS, withObjects } from '../snapshot-objects.ts';
import { createCommand } from './snapshot-create.ts';
import { restoreCommand } from './snapshot-restore.ts';

interface Found {
  /** `points/3`. */
  readonly of: string;
  readonly store: SnapshotStore;
  readonly snapshots: readonly SnapshotManifest[];
  readonly unreadable: readonly UnreadableSnapshot[];
}

/** Commands about snapshots. Those that read the object store need no running platform. */
export function snapshotCommand(): Command {
  const snapshot = new Command('snapshot').description('make, list, verify and restore snapshots');
  snapshot.addCommand(createCommand());
  const list = settingsCommand('list', 'list the snapshots of all partitions', GROUPS).addOption(tableJsonOrCsv());
  snapshot.addCommand(
    list.action(async ({ format }: { format: 'table' | 'json' | 'csv' }) =>
      withSnapshots(list, async (found, place) => print(listText(found, place, format))),
    ),
  );
  const verify = settingsCommand('verify', 'read the newest snapshot of each partition, or all of them', GROUPS)
    .option('--all', 'verify older snapshots, too')
    .addOption(tableOrJson());
  snapshot.addCommand(
    verify.action(async ({ all = false, format }: { all?: boolean; format: 'table' | 'json' }) =>
      withSnapshots(verify, async (found, place) => {
        const line = new ProgressLine(process.stderr, () => performance.now());
        const rows = await verifyAll(found, all, line).finally(() => line.clear());
        print(format === 'json' ? JSON.stringify({ snapshots: rows }, undefined, 2) : verifiedText(rows, place));
        const isWhole = rows.some(({ state }) => state === 'whole');
        if (!isWhole || rows.some(({ state }) => state === 'damaged' || state === 'unreadable')) process.exitCode = 1;
      }),
    ),
  );
  return snapshot.addCommand(restoreCommand());
}

function withSnapshots(
  command: Command,
  task: (found: readonly Found[], place: ObjectPlace) => Promise<void>,
): Promise<void> {
  return withObjects(command, async ({ objects, place }) => task(await findAll(objects), place));
}

async function findAll(objects: ObjectStore): Promise<Found[]> {
  const ports = {
    objects,
    clock: new SystemClock(),
    random: new SystemRandom(),
    user: `tidemark snapshot ${process.pid}`,
  };
  const found: Found[] = [];
  for (const place of await snapshotPlaces(objects)) {
    const store = new SnapshotStore({ ...ports, place });
    const { snapshots, unreadable } = await listSnapshots(store);
    found.push({ of: `${place.kind}/${place.partition}`, store, snapshots: snapshots.toReversed(), unreadable });
  }
  return found;
}

function listText(found: readonly Found[], place: ObjectPlace, format: 'table' | 'json' | 'csv'): string {
  const whole = found.flatMap(({ of, snapshots }) => snapshots.map((snapshot) => ({ of, ...factsOf(snapshot) })));
  const broken = found.flatMap(({ of, unreadable }) =>
    unreadable.map(({ key, error }) => ({ of, key, error: error.message })),
  );
  if (format === 'json') return JSON.stringify({ snapshots: whole, unreadable: broken }, undefined, 2);
  const head = ['of', 'snapshot', 'offset', 'complete through', 'made', 'bytes'];
  const rows = whole.map((one) => [one.of, one.id, one.offset, one.completeThrough ?? '', one.made, one.bytes]);
  if (format === 'csv') return csvOf(head, rows);
  const lines = broken.map(({ of, error }) => `${of}: a snapshot can't be read: ${error}`);
  if (rows.length === 0) return [`no snapshots are in ${objectPlaceText(place)}`, ...lines].join('\n');
  const shown = whole.map((one, i) => [...rows[i].slice(0, -1), formatBytes(one.bytes)]);
  return [tableOf(head, shown), ...lines].join('\n');
}

function factsOf({ id, offset, watermarkMs, createdMs, createdBy, files }: SnapshotManifest) {
  return {
    ...{ id, offset, made: new Date(createdMs).toISOString(), by: createdBy },
    completeThrough: watermarkMs === undefined ? undefined : new Date(watermarkMs).toISOString(),
    ...{ files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) },
  };
}

interface Verified {
  readonly of: string;
  readonly id: string;
  /** `unreadable`: of a newer program, or a copy of another one's manifest. `removed`: since it was listed. */
  readonly state: 'whole' | 'damaged' | 'unreadable' | 'removed';
  readonly bytes: number;
  readonly wrong: readonly string[];
}

async function verifyAll(found: readonly Found[], isAll: boolean, line: ProgressLine): Promise<Verified[]> {
  const rows: Verified[] = [];
  for (const { of, store, snapshots, unreadable } of found) {
    for (const { id, key, error } of unreadable) {
      const state = error.code === 'data_loss' ? 'damaged' : 'unreadable';
      rows.push({ of, id: id ?? key, state, bytes: 0, wrong: [error.message] });
    }
    for (const snapshot of snapshots) {
      const row = await verified(of, store, snapshot, (...bytes) => line.show(`${of} ${snapshot.id}`, ...bytes));
      rows.push(row);
      if (!isAll && row.state !== 'removed') break;
    }
  }
  return rows;
}

async function verified(
  of: string,
  store: SnapshotStore,
  snapshot: SnapshotManifest,
  onProgress: ReportProgress,
): Promise<Verified> {
  const { id } = snapshot;
  const { bytes } = factsOf(snapshot);
  try {
    const wrong = (await verifySnapshot(store, id, { onProgress })).wrong.map(({ error }) => error.message);
    return { of, id, state: wrong.length > 0 ? 'damaged' : 'whole', bytes, wrong };
  } catch (error) {
    // Its retention has ended meanwhile.
    if (!isTidemarkError(error, 'not_found')) throw error;
    return { of, id, state: 'removed', bytes, wrong: [] };
  }
}

function verifiedText(rows: readonly Verified[], place: ObjectPlace): string {
  if (rows.length === 0) return `no snapshots are in ${objectPlaceText(place)}`;
  return rows
    .map(({ of, id, state, bytes, wrong }) => {
      const what = state === 'whole' ? [formatBytes(bytes)] : wrong;
      return `${of} ${id}: ${[state, what.join('; ')].filter((text) => text !== '').join(': ')}`;
    })
    .join('\n');
}
