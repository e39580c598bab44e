import { beforeAll, describe } from '@jest/globals';

/**
 * Registers a suite that needs a real program of this machine, such as a server. `why` is the reason why the program is
 * not available, empty when it is. With a reason the suite is skipped, with the reason in its name; in a full run (CI)
 * it fails instead.
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
