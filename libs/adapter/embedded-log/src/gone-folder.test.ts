import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { SystemClock } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { type EmbeddedLog, openEmbeddedLog } from './index.ts';
import { REMADE_STEP } from './segment-format.ts';

const clock = new SystemClock();
const NOW = { maxBytes: 1000, waitMs: 0 };
const LIST = 'PARTITIONS';

function newDisk(random = new SeededRandom(1)): CrashDisk {
  return new CrashDisk(random, { failedWrite: 0, failedSync: 0 });
}

function open(disk: CrashDisk, random = new SeededRandom(2), points = 2): Promise<EmbeddedLog> {
  return openEmbeddedLog({ disk, clock, random, partitions: { points, tags: 1, control: 1 } });
}

/** Opens the log as often as the disk stops before it is open. */
async function openAtLast(disk: CrashDisk, random: SeededRandom): Promise<EmbeddedLog> {
  try {
    const log = await open(disk, random);
    disk.stopAfter(Number.POSITIVE_INFINITY);
    return log;
  } catch (error) {
    if (!isTidemarkError(error, 'unavailable')) throw error;
    disk.reboot(random.next() < 0.5);
    return open(disk, random);
  }
}

async function append(log: EmbeddedLog, partition: number, text: string): Promise<number> {
  return (await (await log.writer('points', partition)).append(0, Buffer.from(text))).offset;
}

/** A folder with three acknowledged records of `points/1`, whose process was stopped or killed. */
async function written(ending: 'stop' | 'kill'): Promise<CrashDisk> {
  const disk = newDisk();
  const log = await open(disk);
  for (const text of ['a', 'b', 'c']) await append(log, 1, text);
  if (ending === 'stop') await log.close();
  else disk.reboot(false);
  return disk;
}

test.each(['stop', 'kill'] as const)(
  'a folder that is gone after a %s is a loss of unknown size, with the same id and no offset of before',
  async (ending) => {
    const disk = await written(ending);
    await disk.remove('points/1');
    const log = await open(disk);
    const lost = { from: 0, to: REMADE_STEP, isFolderGone: true };
    expect(log.lost).toEqual([{ topic: 'points', partition: 1, ...lost }]);
    for (const offset of [0, 3, 1000]) {
      await expect(log.read('points', 1, offset, NOW)).rejects.toMatchObject({
        code: 'data_loss',
        message: expect.stringMatching(/log\/points\/1 was gone at a start; .*restore log\/points\/1 from a copy/),
        detail: { offset, resumeAt: REMADE_STEP },
      });
    }
    expect(await append(log, 1, 'd')).toBe(REMADE_STEP);
    const { id } = await log.bounds('points', 1);
    await log.close();

    // The next start finds the folder and reports nothing new. One that is gone again continues above.
    const again = await open(disk);
    expect([again.lost, (await again.bounds('points', 1)).id]).toEqual([[], id]);
    await expect(again.read('points', 1, 0, NOW)).rejects.toMatchObject({ code: 'data_loss' });
    await again.close();
    await disk.remove('points/1');
    const third = await open(disk);
    expect(third.lost).toMatchObject([{ from: 0, to: 2 * REMADE_STEP }]);
    expect(await append(third, 1, 'e')).toBe(2 * REMADE_STEP);
    await third.close();
  },
);

test('a copy that is restored is read on, also after the new folder was made', async () => {
  const disk = await written('stop');
  const copy = disk.paths().filter((path) => path.startsWith('points/1/'));
  const bytes = copy.map((path) => Uint8Array.from(disk.bytesOf(path)));
  await disk.remove('points/1');
  await (await open(disk)).close();
  await disk.remove('points/1');
  copy.forEach((path, i) => {
    disk.put(path, bytes[i]);
  });
  const log = await open(disk);
  expect(log.lost).toEqual([]);
  expect((await log.read('points', 1, 0, NOW)).map(({ value }) => String(value))).toEqual(['a', 'b', 'c']);
  await log.close();
});

test('the folder of another log is refused', async () => {
  const disk = await written('stop');
  const other = newDisk();
  await (await open(other, new SeededRandom(9))).close();
  await disk.remove('points/1');
  for (const path of other.paths().filter((name) => name.startsWith('points/1/'))) disk.put(path, other.bytesOf(path));
  await expect(open(disk)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/^log\/points\/1 is the folder of another log/),
  });
});

test('without control the start is refused, also where all other folders are gone', async () => {
  const disk = await written('stop');
  for (const folder of ['control', 'points', 'tags']) await disk.remove(folder);
  await expect(open(disk)).rejects.toMatchObject({ code: 'failed_precondition', detail: { file: 'control/0' } });
});

test('partitions that are added are new; fewer than there were are refused', async () => {
  const disk = await written('stop');
  const log = await open(disk, undefined, 3);
  expect([log.lost, await append(log, 2, 'a')]).toEqual([[], 0]);
  await log.close();
  await disk.remove('points/2');
  await expect(open(disk)).rejects.toMatchObject({ code: 'failed_precondition', detail: { found: 3, asked: 2 } });
  const again = await open(disk, undefined, 3);
  expect(again.lost).toMatchObject([{ partition: 2, isFolderGone: true }]);
  await again.close();
});

test('a list that is damaged, cut or gone costs nothing, and is written again', async () => {
  const disk = await written('stop');
  const whole = Buffer.from(disk.bytesOf(LIST));
  const damaged: (Buffer | undefined)[] = [undefined];
  for (let at = 0; at < whole.length; at += 5) {
    damaged.push(whole.subarray(0, at));
    const flipped = Buffer.from(whole);
    flipped[at] ^= 1 << (at % 8);
    damaged.push(flipped);
  }
  for (const bytes of damaged) {
    if (bytes === undefined) await disk.remove(LIST);
    else disk.put(LIST, bytes);
    const log = await open(disk);
    expect([log.lost, (await log.read('points', 1, 0, NOW)).length]).toEqual([[], 3]);
    await log.close();
    expect(Buffer.from(disk.bytesOf(LIST))).toEqual(whole);
  }
});

test('a partition that found no space at its first start is listed before its first record counts', async () => {
  const disk = newDisk();
  await (await open(disk)).close();
  disk.full = true;
  const log = await open(disk, undefined, 3);
  await expect(append(log, 2, 'a')).rejects.toMatchObject({ code: 'resource_exhausted' });
  disk.full = false;
  expect(await append(log, 2, 'a')).toBe(0);
  disk.reboot(true);
  await disk.remove('points/2');
  const again = await open(disk, undefined, 3);
  expect(again.lost).toMatchObject([{ partition: 2, isFolderGone: true }]);
  await again.close();
});

const seed = testSeed();
test(`a crash at any operation of a first start hides no loss and invents none (TIDEMARK_TEST_SEED=${seed})`, async () => {
  for (let stop = 1; ; stop++) {
    const random = new SeededRandom((seed + stop) >>> 0);
    const disk = newDisk(random);
    disk.stopAfter(stop);
    const log = await openAtLast(disk, random);
    expect([stop, log.lost]).toEqual([stop, []]);
    const isWhole = disk.fired.stopped === 0;
    const acked = await append(log, 1, 'a').catch(() => undefined);
    disk.reboot(random.next() < 0.5);
    await disk.remove('points/1');
    const again = await open(disk, random);
    if (acked !== undefined) expect([stop, again.lost.length]).toEqual([stop, 1]);
    await again.close();
    if (isWhole) return;
  }
});

test(`a crash at any operation of a start that makes a folder again keeps the loss (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const files = await written('kill');
  for (let stop = 1; ; stop++) {
    const random = new SeededRandom((seed + stop) >>> 0);
    const disk = newDisk(random);
    for (const path of files.paths()) if (!path.startsWith('points/1/')) disk.put(path, files.bytesOf(path));
    disk.stopAfter(stop);
    const log = await openAtLast(disk, random);
    const isWhole = disk.fired.stopped === 0;
    await expect(log.read('points', 1, 0, NOW)).rejects.toMatchObject({
      code: 'data_loss',
      detail: { offset: 0, resumeAt: REMADE_STEP },
    });
    disk.reboot(random.next() < 0.5);
    const again = await open(disk, random);
    expect([stop, await append(again, 1, 'd')]).toEqual([stop, REMADE_STEP]);
    await again.close();
    if (isWhole) return;
  }
});
