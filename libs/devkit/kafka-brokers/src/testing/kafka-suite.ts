import { realSuite } from '@tidemark/child-process/testing';
import { whyNoKafka } from '../why-no-kafka.ts';

/** A test that starts brokers may wait this long for them on a busy machine. */
export const KAFKA_START_MS = 180_000;

/**
 * Registers a suite that needs real brokers, in a `.kafka.test.ts`: `await kafkaSuite('name', () => { … })` at the top
 * level; see `realSuite`.
 */
export async function kafkaSuite(name: string, body: () => void): Promise<void> {
  realSuite(name, await whyNoKafka(), body);
}
