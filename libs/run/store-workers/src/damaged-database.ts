import {
  AggregatorStatusReply,
  PartitionStatusReply,
  ReplicaPosition,
  TagPartitionStatusReply,
} from '@tidemark/contract';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import {
  type CarriedError,
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

/**
 * Whether the log still has every record of a partition, so that a new database can be built from it. False when it was
 * trimmed, its first records are lost, or it does not answer. False also when it is empty: a damaged database does not say
 * whether it has read something, and an empty log not whether it was deleted or replaced. So the partition halts also if it never
 * had a record; then nothing is lost when its folder is moved away.
 */
export async function hasWholeLog(
  log: Pick<Log, 'bounds' | 'read'>,
  clock: Clock,
  { topic, partition }: { topic: Topic; partition: number },
): Promise<boolean> {
  const bounds = await boundsOf(log, clock, topic, partition);
  if (bounds === undefined || bounds.first !== 0 || bounds.next === 0) return false;
  try {
    await log.read(topic, partition, 0, { maxBytes: 1, waitMs: 0 });
    return true;
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    return false;
  }
}

/** Whether the log begins above offset 0, so that a new database would lack records. False when it does not answer. */
export async function isTrimmedLog(
  log: Pick<Log, 'bounds'>,
  clock: Clock,
  { topic, partition }: { topic: Topic; partition: number },
): Promise<boolean> {
  const bounds = await boundsOf(log, clock, topic, partition);
  return bounds !== undefined && bounds.first > 0;
}

/** Moves the folder of a damaged database aside. Returns its new name. */
export async function moveAside(disk: Pick<Disk, 'rename'>, clock: Clock, folder: string): Promise<string> {
  const aside = `${folder}.damaged-${clock.wallMs()}`;
  await disk.rename(folder, aside);
  return aside;
}

export async function boundsOf(
  log: Pick<Log, 'bounds'>,
  clock: Clock,
  topic: Topic,
  partition: number,
): Promise<LogBounds | undefined> {
  for (let waitedMs = 0; waitedMs < LOG_WAIT_MS; waitedMs += RETRY_MS) {
    try {
      return await log.bounds(topic, partition);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      await sleep(clock, RETRY_MS);
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

/** A database, for what an operator reads of it. */
export interface DatabasePlace {
  readonly kind: StoreKind;
  readonly partition: number;
  readonly topic: Topic;
  readonly folder: string;
}

/**
 * What an operator reads of damage that the log can't replace, and no snapshot for the reason `noSnapshot`. `detail.next` of the
 * error has a better next step, if there is one.
 */
export function damageText(
  place: DatabasePlace,
  { message, detail }: TidemarkError,
  noSnapshot: string | undefined,
): string {
  const { kind, partition, topic, folder } = place;
  const log = `the database ${kind}/${partition} is damaged, and the log no longer has its first records: ${message}`;
  const damage = noSnapshot === undefined ? log : `${log}. No snapshot replaces it: ${noSnapshot}`;
  if (typeof detail.next === 'string') return `${damage}. ${detail.next}`;
  const loss = `move ${folder} away, restart, and pass what is lost: ${TIDEMARK_COMMAND} skip ${topic} ${partition} 0 --reason WHY`;
  return `${damage}. Restore the data folder from a copy; or ${loss}`;
}

/** What an operator reads of a database that can't be opened, for a reason other than damage. */
export function unopenedText({ kind, partition }: DatabasePlace, { message }: TidemarkError): string {
  return `the database ${kind}/${partition} can't be opened: ${message}. Remove that cause and restart; nothing is lost`;
}

/** What an operator reads of a database that is gone, and whose snapshot can't be restored. */
export function missingText({ kind, partition, folder }: DatabasePlace, { message }: CarriedError): string {
  const missing = `the database ${kind}/${partition} is not in ${folder}, and its snapshot can't be restored: ${message}`;
  return `${missing}. Remove that cause and restart; nothing is lost`;
}

/** What an operator reads when a database that the log could replace can't be replaced. */
export function replacementText(
  kind: StoreKind,
  partition: number,
  { message }: TidemarkError,
  failure: string,
): string {
  const damage = `the database ${kind}/${partition} is damaged: ${message}; a new one can't be opened: ${failure}`;
  return `${damage}. Remove that cause and restart: the database is then built again from the log`;
}

export function rebuildingText(kind: StoreKind, partition: number): string {
  return `the database ${kind}/${partition} was damaged and is built again from the log; retry later`;
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
