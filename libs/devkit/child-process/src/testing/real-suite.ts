import { beforeAll, describe } from '@jest/globals';

/**
 * Registers a suite that needs something real of this machine, such as a server. Where `why` says that it can't be had
 * the suite is skipped, with the reason in its name; in a full run (CI) it fails instead. An empty `why`: it is there.
 */
export function realSuite(name: string, why: string, body: () => void): void {
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
