import {
  AggregatorStatusReply,
  PartitionStatusReply,
  ReplicaPosition,
  TagPartitionStatusReply,
} from '@tidemark/contract';
import { type Clock, type Disk, isTidemarkError, type Log, sleep, TidemarkError, type Topic } from '@tidemark/ports';
import type { StoreKind } from '@tidemark/store-rpc';
import type { StorePartition } from './store-kinds.ts';

/** How long a store waits for the first announcement of its log, ms. */
const LOG_WAIT_MS = 60_000;
const RETRY_MS = 20;

/**
 * Moves the damaged database `folder` of a partition aside if the log still has every record, so that a new one can be built
 * from it. Returns the new name of the folder, or undefined when the log was trimmed or does not answer.
 */
export async function moveAside(
  disk: Pick<Disk, 'rename'>,
  log: Pick<Log, 'bounds'>,
  clock: Clock,
  { folder, topic, partition }: { folder: string; topic: Topic; partition: number },
): Promise<string | undefined> {
  if ((await firstOffset(log, clock, topic, partition)) !== 0) return undefined;
  const aside = `${folder}.damaged-${clock.wallMs()}`;
  await disk.rename(folder, aside);
  return aside;
}

async function firstOffset(
  log: Pick<Log, 'bounds'>,
  clock: Clock,
  topic: Topic,
  partition: number,
): Promise<number | undefined> {
  for (let waitedMs = 0; waitedMs < LOG_WAIT_MS; waitedMs += RETRY_MS) {
    try {
      return (await log.bounds(topic, partition)).first;
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      await sleep(clock, RETRY_MS);
    }
  }
  return undefined;
}

/** What a damaged store of a partition reports. */
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
  const report = { partition, halted: message, haltedOffset: -1 };
  return {
    position: () => ReplicaPosition.create(report),
    async answer(method) {
      if (method !== 'status') throw new TidemarkError('data_loss', message, { partition });
      return STATUS_OF[kind](report);
    },
  };
}
