import { LocalDisk, SystemRandom } from '@tidemark/node-runtime';
import type { Clock, Log, Topic } from '@tidemark/ports';
import type { StoreLog } from './store-messages.ts';

/** What a store thread needs of the log. */
export interface StoreLogReader extends Pick<Log, 'read' | 'bounds'> {
  /** Takes what the log's writer, in another thread, announces; a log that needs no such word has none. */
  advance?(topic: Topic, partition: number, next: number, first: number, segment: number): void;
  close(): Promise<void>;
}

/** Opens the log in this thread. Only what this log is made of is loaded: a client of Kafka is a large program. */
export async function openStoreLog(log: StoreLog, clock: Clock): Promise<StoreLogReader> {
  if (log.kind === 'kafka') {
    const { kafkaLog } = await import('@tidemark/kafka-log');
    // Stores open without it, and each says of itself while brokers don't answer.
    return kafkaLog(log.options, { clock, random: new SystemRandom() });
  }
  const { openEmbeddedLogReader } = await import('@tidemark/embedded-log');
  const { folder, partitions } = log;
  return openEmbeddedLogReader({
    disk: new LocalDisk(folder),
    clock,
    partitions: { points: partitions, tags: partitions, control: 1 },
  });
}
