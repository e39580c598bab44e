import { join } from 'node:path';
import { toHex } from '@tidemark/bytes';
import { appendCopy, ControlCopies, type FoundCopy, type WholeCopy } from '@tidemark/control-copy';
import { type MadePartition, nextAfterLoss, remadeOf, remakeLog } from '@tidemark/embedded-log';
import { LocalDisk } from '@tidemark/node-runtime';
import { type Clock, type ObjectStore, type Random, TidemarkError } from '@tidemark/ports';
import { type SnapshotPlace, SnapshotStore, snapshotPlaces } from '@tidemark/snapshot';
import { databaseOffset, passLost } from '@tidemark/store-workers';
import { withClaimedFolder } from './claimed-folder.ts';
import { restoreStore, type StoreOutcome } from './restore-store.ts';

export interface RestoreParts {
  readonly objects: ObjectStore;
  /** The data folder: absolute. */
  readonly folder: string;
  /** Entries of the folder that may be there: of the object store. */
  readonly kept: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** Names the process, for operators. */
  readonly user: string;
  /** With which the databases are opened. */
  readonly stores: Parameters<typeof databaseOffset>[2];
}

export interface RestoreOptions {
  /** Which log, where the object store has copies of several: 32 hexadecimal digits, or their beginning. */
  readonly logId?: string | undefined;
  /** Begins stores empty of which no snapshot can be used. */
  readonly acceptLoss?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (of: SnapshotPlace, doneBytes: number, totalBytes: number) => void;
}

export interface RestoredStore extends StoreOutcome {
  readonly of: SnapshotPlace;
}

/** What a restore has made. */
export interface RestoredPlatform {
  readonly copy: FoundCopy;
  readonly keys: number;
  /** Records of `control` that the lost log had lost before, as far as the copy knows. */
  readonly lostDecisions: number;
  readonly stores: readonly RestoredStore[];
  /** Why newer copies of `control` were passed over. */
  readonly passed: readonly string[];
}

/** The topics that stores read in one process: the kinds of these stores have the same names. */
const STORE_TOPICS = ['points', 'tags'] as const;
type StoreTopic = (typeof STORE_TOPICS)[number];

/**
 * Makes the data folder of a platform whose disk was lost from what it had sent to the object store: the databases from their newest
 * snapshots, keys and maps from the newest copy of `control`, and an empty log whose offsets are above all that the lost one had. What was
 * acknowledged after the snapshots is lost, and a gap of each store.
 *
 * Errors: `not_found` where the object store has no copy; `invalid_argument` where it has those of several logs; `failed_precondition`
 * where the folder is not empty, or snapshots can't be used; those of the object store and the disk. It can be repeated.
 */
export async function restoreDataFolder(parts: RestoreParts, options: RestoreOptions = {}): Promise<RestoredPlatform> {
  const { objects, folder, kept, clock, random } = parts;
  const { signal } = options;
  const copies = new ControlCopies(objects);
  const listed = ofOneLog(await copies.list({ signal }), options.logId);
  const { copy, passed: newer, ...found } = await copies.newest(listed, { signal });
  checkNewest(listed, found, newer, options);
  await checkListed(objects, copy, options);
  return withClaimedFolder(new LocalDisk(folder), folder, kept, async () => {
    const stores: RestoredStore[] = [];
    for (const partition of copy.partitions) {
      const { topic } = partition;
      if (isStoreTopic(topic)) stores.push(await restored(parts, partition, topic, options));
    }
    // A copy of before an earlier loss may be the only whole one: then it says less than the databases.
    const offsets = [copy.checkpoint.offset, ...stores.map(({ offset }) => offset)];
    const remade = Math.max(...copy.partitions.map((one) => one.remade), ...offsets.map(remadeOf));
    for (const store of stores) await passed(parts, store, remade);
    const log = { disk: new LocalDisk(join(folder, 'log')), clock, random };
    const made = copy.partitions.map((one) => ({ ...one, remade }));
    await remakeLog(log, made, (filled) => appendCopy(filled, copy, clock));
    const { keys, lost } = copy.checkpoint;
    return {
      ...{ copy: found, keys: keys.length, stores },
      lostDecisions: lost.reduce((sum, { records }) => sum + records, 0),
      passed: newer.map(({ message }) => message),
    };
  });
}

/** Refuses an older copy in place of damaged ones: a key that was revoked since then would be valid again. */
function checkNewest(
  [newest]: readonly FoundCopy[],
  used: FoundCopy,
  damaged: readonly TidemarkError[],
  { acceptLoss = false }: RestoreOptions,
): void {
  const [first] = damaged;
  if (first === undefined || acceptLoss || newest.offset === used.offset) return;
  const [usedTime, newestTime] = [used, newest].map(({ createdMs }) => new Date(createdMs).toISOString());
  const text = `the newest copy of control, of ${newestTime}, can't be read: ${first.message}. The newest whole one is of ${usedTime}`;
  const next =
    'Bring the newest back from a copy of the object store; or use the older one with --accept-loss, and revoke again each key that was revoked since then';
  throw new TidemarkError('failed_precondition', `${text}. ${next}`, { key: newest.key });
}

/** Refuses snapshots of partitions that the copy does not know, because it is older: they would begin again without a word. */
async function checkListed(objects: ObjectStore, { partitions }: WholeCopy, options: RestoreOptions): Promise<void> {
  if (options.acceptLoss === true) return;
  const places = await snapshotPlaces(objects, { signal: options.signal });
  const isKnown = ({ kind, partition }: SnapshotPlace): boolean =>
    partitions.some((one) => one.topic === kind && one.partition === partition);
  const unknown = places.find((place) => isStoreTopic(place.kind) && !isKnown(place));
  if (unknown === undefined) return;
  const name = `${unknown.kind}/${unknown.partition}`;
  const text = `the object store has snapshots of ${name}, which the newest whole copy of control does not know`;
  throw new TidemarkError('failed_precondition', `${text}. To restore without them, use --accept-loss`, { ...unknown });
}

/** Lets a restored store continue where the new log begins. */
async function passed(
  { folder, stores }: RestoreParts,
  { of, snapshot }: RestoredStore,
  remade: number,
): Promise<void> {
  const from = snapshot === undefined ? 'no snapshot' : `the snapshot ${snapshot.id}`;
  const reason = `lost with the disk: restored from ${from}`;
  await passLost(folder, of, stores, { to: nextAfterLoss(remade), reason });
}

function ofOneLog(copies: readonly FoundCopy[], wanted = ''): FoundCopy[] {
  const own = copies.filter(({ logId }) => logId.startsWith(wanted));
  const logs = [...new Set(own.map(({ logId }) => logId))];
  if (logs.length === 0) {
    const of = wanted === '' ? 'a platform' : `the log ${wanted}`;
    throw new TidemarkError(
      'not_found',
      `the object store has no copy of control of ${of}: check objects.folder, or bucket and prefix. Stores over Kafka need none`,
    );
  }
  if (logs.length === 1) return own;
  const text = logs.map((log) => {
    const newest = own.find(({ logId }) => logId === log);
    return `${log} (${new Date(newest?.createdMs ?? 0).toISOString()})`;
  });
  throw new TidemarkError(
    'invalid_argument',
    `the object store has copies of ${logs.length} platforms: ${text.join(', ')}; choose one with --log`,
    { field: 'log', found: logs.length },
  );
}

async function restored(
  { objects, folder, clock, random, user, stores }: RestoreParts,
  { partition, id }: MadePartition,
  topic: StoreTopic,
  { acceptLoss = false, signal, onProgress }: RestoreOptions,
): Promise<RestoredStore> {
  const of: SnapshotPlace = { kind: topic, partition };
  const store = new SnapshotStore({ objects, place: of, clock, random, user });
  const to = { disk: new LocalDisk(folder), folder: `${of.kind}/${partition}` };
  const outcome = await restoreStore(store, to, {
    ...{ logId: toHex(id), acceptLoss, signal },
    offsetOf: () => databaseOffset(folder, of, stores),
    onProgress: (doneBytes, totalBytes) => onProgress?.(of, doneBytes, totalBytes),
  });
  return { of, ...outcome };
}

function isStoreTopic(topic: string): topic is StoreTopic {
  return STORE_TOPICS.some((one) => one === topic);
}
