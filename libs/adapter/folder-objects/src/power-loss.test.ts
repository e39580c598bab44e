import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { SystemClock } from '@tidemark/node-runtime';
import { below } from '@tidemark/ports';
import { Incarnation, SeededRandom, SimulatedDisk } from '@tidemark/simulation';
import { FolderObjects } from './index.ts';
import { SimulatedLocks } from './testing/simulated-locks.ts';

const ROUNDS = 30;
const KEYS = ['a/one.x', 'a/two.x', 'three.x'];
const seed = testSeed();

test(`a power loss leaves each object old or new, and what was acknowledged (seed ${seed})`, async () => {
  const random = new SeededRandom(seed);
  const clock = new SystemClock();
  const disk = new SimulatedDisk({ clock, random: random.fork('disk'), maxLatencyMs: 1 });
  const locks = new SimulatedLocks();
  /** The last acknowledged number of each key; a later one was under way when the power was lost. */
  const acknowledged = new Map<string, number>();
  let count = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const process = new Incarnation('objects', round);
    const store = new FolderObjects({ disk: disk.bind(process), locks, clock, random });
    // The first write removes what was left.
    await store.put('first.x', Buffer.from('1'));
    expect(disk.paths().filter((path) => /^drafts\/\w+-/.test(path))).toEqual([]);
    for (const [key, number] of acknowledged) {
      const text = Buffer.from((await store.get(key)).bytes).toString();
      expect(text).toMatch(/^(\d+;)\1*$/);
      const found = Number.parseInt(text, 10);
      expect(found).toBeGreaterThanOrEqual(number);
      acknowledged.set(key, found);
    }
    const target = below(random, 6);
    let done = 0;
    const lost = new Promise<void>((resolve) => {
      for (const key of KEYS) {
        void (async () => {
          for (;;) {
            const number = count++;
            await store.put(key, Buffer.from(`${number};`.repeat(1 + below(random, 2000))));
            acknowledged.set(key, number);
            if (++done >= target) resolve();
          }
        })().catch(() => undefined);
      }
    });
    await lost;
    process.end();
    locks.endProcesses();
    disk.crash(random.next() < 0.5 ? 'power' : 'process');
  }
  expect(acknowledged.size).toBe(KEYS.length);
});
