/** The seed of a run: `TIDEMARK_TEST_SEED`, so that a failure replays, or a fresh one. */
export function testSeed(): number {
  const given = process.env.TIDEMARK_TEST_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given) >>> 0;
}
