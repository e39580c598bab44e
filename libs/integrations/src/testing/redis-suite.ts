import { beforeAll, describe } from '@jest/globals';
import { redisProgram } from './redis-program.ts';

/** A test that starts a server may wait this long for it on a busy machine. */
export const REDIS_START_MS = 60_000;

/**
 * Registers a suite that needs a real Redis, in a `.redis.test.ts`: `await redisSuite('name', () => { … })` at the top
 * level. Where none can be had it is skipped, with the reason in its name; in a full run (CI) it fails instead.
 */
export async function redisSuite(name: string, body: () => void): Promise<void> {
  const program = await redisProgram();
  if (typeof program !== 'string') {
    describe(name, body);
  } else if (process.env.TIDEMARK_TEST_FULL === '1') {
    describe(name, () => {
      beforeAll(() => {
        throw new Error(program);
      });
      body();
    });
  } else {
    describe.skip(`${name} (${program})`, body);
  }
}
