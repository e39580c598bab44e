import { realSuite } from '@tidemark/child-process/testing';
import { whyNoS3 } from '../why-no-s3.ts';

/** Time limit of a test that starts a server on a busy machine, ms. */
export const S3_START_MS = 120_000;

/**
 * Registers a suite that needs a real S3 server, in a `.s3.test.ts`: `await s3Suite('name', () => { … })` at the top level;
 * see `realSuite`.
 */
export async function s3Suite(name: string, body: () => void): Promise<void> {
  realSuite(name, await whyNoS3(), body);
}
