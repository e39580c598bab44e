import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { type EmbeddedLog, openEmbeddedLog, remakeLog } from './index.ts';
import { REMADE_STEP } from './segment-format.ts';

const clock = new SystemClock();
const partitions = { points: 2, tags: 1, control: 1 };
const NOW = { maxBytes: 1000, waitMs: 0 };

function newDisk(): CrashDisk {
  return new CrashDisk(new SeededRandom(1), { failedWrite: 0, failedSync: 0 });
}

function portsOf(disk: CrashDisk, seed: number) {
  return { disk, clock, random: new SeededRandom(seed) };
}

async function append(log: EmbeddedLog, topic: 'points' | 'control', text: string): Promise<number> {
  return (await (await log.writer(topic, 0)).append(0, Buffer.from(text))).offset;
}

/** A log with a record each of `points/0` and `control/0`. */
async function written() {
  const log = await openEmbeddedLog({ ...portsOf(newDisk(), 2), partitions });
  await append(log, 'points', 'a');
  await append(log, 'control', 'c');
  const bounds = await log.bounds('points', 0);
  await log.close();
  return { made: log.made, bounds };
}

test('a log that is made again has the ids of before, and no offset of before', async () => {
  const { made, bounds } = await written();
  const disk = newDisk();
  await remakeLog(portsOf(disk, 3), made, async (log) => {
    expect(await append(log, 'control', 'again')).toBe(REMADE_STEP);
    await expect(log.bounds('points', 0)).rejects.toMatchObject({ code: 'not_found' });
  });
  const log = await openEmbeddedLog({ ...portsOf(disk, 4), partitions });
  // It is known already.
  expect(log.lost).toEqual([]);
  expect(await log.bounds('points', 0)).toEqual({ ...bounds, first: 0, next: REMADE_STEP });
  await expect(log.read('points', 0, 1, NOW)).rejects.toMatchObject({
    code: 'data_loss',
    detail: { resumeAt: REMADE_STEP },
  });
  expect(await append(log, 'points', 'b')).toBe(REMADE_STEP);
  const [record] = await log.read('control', 0, REMADE_STEP, NOW);
  expect(record.value.toString()).toBe('again');
  await log.close();
  // Lost once more: the offsets continue.
  const third = newDisk();
  await remakeLog(portsOf(third, 5), log.made, async (lost) => {
    expect(await append(lost, 'control', 'third')).toBe(2 * REMADE_STEP);
  });
});

test('a log is made again in an empty folder only, and with control', async () => {
  const { made } = await written();
  const disk = newDisk();
  const nothing = async (): Promise<void> => undefined;
  await expect(remakeLog(portsOf(disk, 3), [], nothing)).rejects.toMatchObject({
    message: 'the list of partitions has no control',
  });
  const often = made.map((one) => ({ ...one, remade: 8191 }));
  await expect(remakeLog(portsOf(disk, 3), often, nothing)).rejects.toMatchObject({
    message: expect.stringMatching(/was lost 8191 times \(limit: 8191\)/),
  });
  expect(await disk.list('')).toEqual([]);
  await remakeLog(portsOf(disk, 3), made, nothing);
  await expect(remakeLog(portsOf(disk, 4), made, nothing)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: 'the folder of the log has FORMAT: it must be empty',
  });
});
