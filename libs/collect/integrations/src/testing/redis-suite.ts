import { realSuite } from '@tidemark/child-process/testing';
import { redisProgram } from './redis-program.ts';

/** Time limit of a test that starts a server on a busy machine, ms. */
export const REDIS_START_MS = 60_000;

/**
 * Registers a suite that needs a real Redis, in a `.redis.test.ts`: `await redisSuite('name', () => { … })` at the top
 * level; see `realSuite`.
 */
export async function redisSuite(name: string, body: () => void): Promise<void> {
  const program = await redisProgram();
  realSuite(name, typeof program === 'string' ? program : '', body);
}
