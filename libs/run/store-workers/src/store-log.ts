import { LocalDisk, SystemRandom } from '@tidemark/node-runtime';
import type { Clock, Log, Topic } from '@tidemark/ports';
import type { StoreLog } from './store-messages.ts';

/** The methods of the log that a store thread calls. */
export interface StoreLogReader extends Pick<Log, 'read' | 'bounds'> {
  /** Receives the progress that the log's writer, in another thread, announces; undefined for logs that need none. */
  advance?(topic: Topic, partition: number, next: number, first: number, segment: number, id: string): void;
  close(): Promise<void>;
}

/** Opens the log in this thread. Loads only the modules of this kind of log, because the client of Kafka is large. */
export async function openStoreLog(log: StoreLog, clock: Clock): Promise<StoreLogReader> {
  if (log.kind === 'kafka') {
    const { kafkaLog } = await import('@tidemark/kafka-log');
    // Stores open without the brokers; each reports a problem while they don't answer.
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
