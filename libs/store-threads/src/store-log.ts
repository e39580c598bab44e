import { openEmbeddedLogReader } from '@tidemark/embedded-log';
import { openKafkaLog } from '@tidemark/kafka-log';
import type { Clock, Log, Topic } from '@tidemark/ports';
import { LocalDisk, SystemRandom } from '@tidemark/system';
import type { StoreLog } from './store-messages.ts';

/** What a store thread needs of the log. */
export interface StoreLogReader extends Pick<Log, 'read' | 'bounds'> {
  /** Takes what the log's writer, in another thread, announces; a log that needs no such word has none. */
  advance?(topic: Topic, partition: number, next: number, first: number, segment: number): void;
  close(): Promise<void>;
}

/** Opens the log in this thread. */
export function openStoreLog(log: StoreLog, clock: Clock): Promise<StoreLogReader> {
  if (log.kind === 'kafka') return openKafkaLog(log.options, { clock, random: new SystemRandom() });
  const { folder, partitions } = log;
  return openEmbeddedLogReader({
    disk: new LocalDisk(folder),
    clock,
    partitions: { points: partitions, tags: partitions, control: 1 },
  });
}
