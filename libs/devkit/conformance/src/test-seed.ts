/** Returns the seed of a run: `TIDEMARK_TEST_SEED`, which replays a failure, or a new one. */
export function testSeed(): number {
  const given = process.env.TIDEMARK_TEST_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given) >>> 0;
}
