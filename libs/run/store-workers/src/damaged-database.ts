import {
  AggregatorStatusReply,
  PartitionStatusReply,
  ReplicaPosition,
  TagPartitionStatusReply,
} from '@tidemark/contract';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import {
  type Clock,
  type Disk,
  type ErrorCode,
  isTidemarkError,
  type Log,
  type LogBounds,
  sleep,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import type { StoreKind } from '@tidemark/store-rpc';
import type { StorePartition } from './store-kinds.ts';

/** How long a store waits for the first announcement of its log, ms. */
const LOG_WAIT_MS = 60_000;
const RETRY_MS = 20;
/** The end of a text about data that may come back. */
const TRIED_AGAIN = 'It is tried again each minute: remove that cause, and pass no records';

/** A partition of the log. */
interface LogPart {
  readonly topic: Topic;
  readonly partition: number;
}

/**
 * What the log has of a partition. `whole`: every record, so that a new database can be built from it. `cut`: it was trimmed, or its
 * first records are lost; also when it is empty: a damaged database does not say whether it has read something, and an empty log
 * not whether it was deleted or replaced. So the partition halts also if it never had a record; then nothing is lost when its folder
 * is moved away. `silent`: it does not answer.
 */
export type LogState = 'whole' | 'cut' | 'silent';

/** Reads the state of a log, for which it waits up to `waitMs`. It is silent once `stopping` is aborted. */
export async function logState(
  log: Pick<Log, 'bounds' | 'read'>,
  clock: Clock,
  { topic, partition }: LogPart,
  { waitMs = LOG_WAIT_MS, stopping }: LogWait = {},
): Promise<LogState> {
  const bounds = await boundsOf(log, clock, { topic, partition }, { waitMs, stopping });
  if (bounds === undefined) return 'silent';
  if (bounds.first !== 0 || bounds.next === 0) return 'cut';
  try {
    await log.read(topic, partition, 0, { maxBytes: 1, waitMs: 0 });
    return 'whole';
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    return error.code === 'data_loss' || error.code === 'out_of_range' ? 'cut' : 'silent';
  }
}

/** Moves the folder of a damaged database aside. Returns its new name. */
export async function moveAside(disk: Pick<Disk, 'rename'>, clock: Clock, folder: string): Promise<string> {
  const aside = `${folder}.damaged-${clock.wallMs()}`;
  await disk.rename(folder, aside);
  return aside;
}

/** How long is waited for a log. */
export interface LogWait {
  /** Default: a minute. */
  readonly waitMs?: number;
  readonly stopping?: AbortSignal | undefined;
}

/** The bounds of a log; undefined when it does not answer, or `stopping` is aborted. */
export async function boundsOf(
  log: Pick<Log, 'bounds'>,
  clock: Clock,
  { topic, partition }: LogPart,
  { waitMs = LOG_WAIT_MS, stopping }: LogWait = {},
): Promise<LogBounds | undefined> {
  const endMs = clock.monotonicMs() + waitMs;
  while (stopping?.aborted !== true && clock.monotonicMs() < endMs) {
    try {
      return await log.bounds(topic, partition);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      await sleep(clock, RETRY_MS, stopping);
    }
  }
  return undefined;
}

/** What a store without its database reports. */
interface DamageReport {
  readonly partition: number;
  readonly halted: string;
  readonly haltedOffset: number;
}

/** The reply to `status` of each kind, in the bytes of the contract: without anything except the report. */
const STATUS_OF: Readonly<Record<StoreKind, (report: DamageReport) => Uint8Array>> = {
  points: (report) => PartitionStatusReply.encode(PartitionStatusReply.create(report)).finish(),
  tags: (report) => TagPartitionStatusReply.encode(TagPartitionStatusReply.create(report)).finish(),
  aggregator: (report) => AggregatorStatusReply.encode(AggregatorStatusReply.create(report)).finish(),
};

/** A store whose database is damaged: it reports that, and every question about its content is `data_loss`. */
export function damagedStore(kind: StoreKind, partition: number, message: string): Omit<StorePartition, 'state'> {
  return storeWithout(kind, { partition, halted: message, haltedOffset: -1 }, 'data_loss', message);
}

/** A store between two databases: every question about its content is `unavailable`. */
export function replacedStore(kind: StoreKind, partition: number): Omit<StorePartition, 'state'> {
  return storeWithout(
    kind,
    { partition, halted: '', haltedOffset: -1 },
    'unavailable',
    rebuildingText(kind, partition),
  );
}

/** What names a database. */
export interface DatabaseId {
  readonly kind: StoreKind;
  readonly partition: number;
}

/** `points/3`: the name of a database, and of its folder. */
export function databaseName({ kind, partition }: DatabaseId): string {
  return `${kind}/${partition}`;
}

/** A database, for what an operator reads of it. */
export interface DatabasePlace extends DatabaseId {
  readonly topic: Topic;
  readonly folder: string;
}

/** Why the database of a store can't be used as it is, and the log alone does not replace it. */
export interface Loss {
  readonly error: TidemarkError;
  /** The log begins above the end of the database, which is new, or an older copy, or lacks files. */
  readonly isTrimmed: boolean;
}

/**
 * What an operator reads of a loss that nothing replaces: `snapshots` says why no snapshot does; undefined without an object store. It
 * advises to give up data only where no snapshot may help later. `detail.next` of the error has a better next step, if there is one.
 */
export function lossText(
  place: DatabasePlace,
  loss: Loss,
  snapshots: { readonly found: string; readonly mayHelp: boolean } | undefined,
): string {
  const { topic, partition, folder } = place;
  const { message, detail } = loss.error;
  if (snapshots?.mayHelp === true) {
    return `${lostText(place, loss)}. No snapshot replaces it now: ${snapshots.found}. ${TRIED_AGAIN}`;
  }
  const none = snapshots === undefined ? '' : `. No snapshot replaces it: ${snapshots.found}`;
  if (loss.isTrimmed) return message + none;
  const damage = lostText(place, loss) + none;
  if (typeof detail.next === 'string') return `${damage}. ${detail.next}`;
  const skip = `move ${folder} away, restart, and pass what is lost: ${TIDEMARK_COMMAND} skip ${topic} ${partition} 0 --reason WHY`;
  return `${damage}. Restore the data folder from a copy; or ${skip}`;
}

/** What an operator reads of a loss while its snapshot can't be restored. */
export function retriedText(place: DatabasePlace, loss: Loss, failure: string): string {
  return `${lostText(place, loss)}. Its snapshot can't be restored now: ${failure}. ${TRIED_AGAIN}`;
}

/** What an operator reads of a loss while the log does not answer. */
export function silentText(place: DatabasePlace, loss: Loss): string {
  return `${whatIsWrong(place, loss)}. The log does not answer. ${TRIED_AGAIN}`;
}

/** What an operator reads while a snapshot is restored. */
export function restoringText(place: DatabasePlace, loss: Loss): string {
  return `${lostText(place, loss)}. It is restored from a snapshot; retry later`;
}

/** A loss that the log alone does not replace. */
function lostText(place: DatabasePlace, loss: Loss): string {
  return whatIsWrong(place, loss, ', and the log no longer has its first records');
}

/** `log` is what is known of the log of a damaged database. */
function whatIsWrong(place: DatabasePlace, { error, isTrimmed }: Loss, log = ''): string {
  const name = `the database ${databaseName(place)}`;
  if (!isTrimmed) return `${name} is damaged${log}: ${error.message}`;
  const { offset, first } = error.detail;
  return `${name} was lost, or is an older copy: it ends at offset ${offset}, and the log begins at ${first}`;
}

/** What an operator reads of a database that can't be opened, for a reason other than damage. */
export function unopenedText(place: DatabasePlace, { message }: TidemarkError): string {
  return `the database ${databaseName(place)} can't be opened: ${message}. Remove that cause and restart; nothing is lost`;
}

/** What an operator reads when a new database can't take the place of a damaged one. */
export function replacementText(place: DatabasePlace, loss: Loss, failure: string): string {
  const damage = `${whatIsWrong(place, loss)}; a new one can't be opened: ${failure}`;
  return `${damage}. Remove that cause and restart: the database is then made again`;
}

export function rebuildingText(kind: StoreKind, partition: number): string {
  return `the database ${kind}/${partition} was lost and is made again; retry later`;
}

function storeWithout(
  kind: StoreKind,
  report: DamageReport,
  code: ErrorCode,
  message: string,
): Omit<StorePartition, 'state'> {
  return {
    position: () => ReplicaPosition.create(report),
    async answer(method) {
      if (method !== 'status') throw new TidemarkError(code, message, { partition: report.partition });
      return STATUS_OF[kind](report);
    },
  };
}
