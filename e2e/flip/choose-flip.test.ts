import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SeededRandom } from '@tidemark/simulation';
import { applyFlip, chooseFlip } from './choose-flip.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-choose-'));
  await mkdir(join(folder, 'points', '0'), { recursive: true });
  await writeFile(join(folder, 'points', '0', 'CURRENT'), 'ab');
  await writeFile(join(folder, 'points', '0', 'LOG'), Buffer.alloc(100_000));
  await writeFile(join(folder, 'points', '0', '000004.sst'), Buffer.alloc(10_000));
  await writeFile(join(folder, 'LOCK.held'), '');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('every file with bytes is chosen, small ones too, and mostly those that are read', async () => {
  const chosen = new Map<string, number>();
  for (let seed = 0; seed < 300; seed++) {
    const { file } = await chooseFlip(folder, new SeededRandom(seed));
    chosen.set(file, (chosen.get(file) ?? 0) + 1);
  }
  expect([...chosen.keys()].sort()).toEqual(['points/0/000004.sst', 'points/0/CURRENT', 'points/0/LOG']);
  expect(Math.min(...chosen.values())).toBeGreaterThan(25);
  expect(chosen.get('points/0/000004.sst')).toBeGreaterThan(150);
});

test('a seed means one bit, and applying it twice undoes it', async () => {
  const flip = await chooseFlip(folder, new SeededRandom(7));
  expect(await chooseFlip(folder, new SeededRandom(7))).toEqual(flip);
  const path = join(folder, flip.file);
  const whole = await readFile(path);
  await applyFlip(folder, flip);
  const flipped = await readFile(path);
  const changed = [...whole.keys()].filter((at) => whole[at] !== flipped[at]);
  expect(changed).toEqual([flip.offset]);
  expect(whole[flip.offset] ^ flipped[flip.offset]).toBe(1 << flip.bit);
  await applyFlip(folder, flip);
  expect(await readFile(path)).toEqual(whole);
});
