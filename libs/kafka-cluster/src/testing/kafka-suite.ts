import { beforeAll, describe } from '@jest/globals';
import { whyNoKafka } from '../why-no-kafka.ts';

/** A test that starts brokers may wait this long for them on a busy machine. */
export const KAFKA_START_MS = 180_000;

/**
 * Registers a suite that needs real brokers, in a `.kafka.test.ts`: `await kafkaSuite('name', () => { … })` at the top
 * level. Where brokers can't be had it is skipped, with the reason in its name; in a full run (CI) it fails instead.
 */
export async function kafkaSuite(name: string, body: () => void): Promise<void> {
  const why = await whyNoKafka();
  if (why === '') {
    describe(name, body);
  } else if (process.env.TIDEMARK_TEST_FULL === '1') {
    describe(name, () => {
      beforeAll(() => {
        throw new Error(why);
      });
      body();
    });
  } else {
    describe.skip(`${name} (${why})`, body);
  }
}
