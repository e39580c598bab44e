import { realSuite } from '@tidemark/child-process/testing';
import { whyNoKafka } from '../why-no-kafka.ts';

/** Time limit of a test that starts brokers on a busy machine, ms. */
export const KAFKA_START_MS = 180_000;

/**
 * Registers a suite that needs real brokers, in a `.kafka.test.ts`: `await kafkaSuite('name', () => { … })` at the top
 * level; see `realSuite`.
 */
export async function kafkaSuite(name: string, body: () => void): Promise<void> {
  realSuite(name, await whyNoKafka(), body);
}
