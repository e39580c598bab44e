import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SeededRandom } from '@tidemark/simulation';
import { applyFlip, chooseFlip, type Flip } from './choose-flip.ts';

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

/** The damage of the first seed that has it in this way. */
async function firstOf<K extends Flip['kind']>(kind: K): Promise<Flip & { readonly kind: K }> {
  for (let seed = 0; ; seed++) {
    const flip = await chooseFlip(folder, new SeededRandom(seed));
    expect(await chooseFlip(folder, new SeededRandom(seed))).toEqual(flip);
    if (flip.kind === kind) return flip as Flip & { readonly kind: K };
  }
}

test('a file is cut below its size, or removed', async () => {
  const cut = await firstOf('cut');
  const { size } = await stat(join(folder, cut.file));
  expect(cut.sizeBytes).toBeLessThan(size);
  await applyFlip(folder, cut);
  expect((await stat(join(folder, cut.file))).size).toBe(cut.sizeBytes);
  const removed = await firstOf('removed');
  await applyFlip(folder, removed);
  await expect(stat(join(folder, removed.file))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the folder of a spool is removed as a whole, too', async () => {
  const session = `agent/spool/${'0a'.repeat(16)}`;
  await mkdir(join(folder, session), { recursive: true });
  await writeFile(join(folder, session, '00000001.waiting'), 'abc');
  const removed = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const flip = await chooseFlip(folder, new SeededRandom(seed), 'agent/');
    if (flip.kind === 'removed') removed.add(flip.file);
  }
  expect([...removed].sort()).toEqual([session, `${session}/00000001.waiting`]);
  await applyFlip(folder, { kind: 'removed', file: session });
  await expect(stat(join(folder, session))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a seed means one bit, and applying it twice undoes it', async () => {
  const flip = await firstOf('bit');
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
