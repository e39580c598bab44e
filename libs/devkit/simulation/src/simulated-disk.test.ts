import { describe, expect, test } from '@jest/globals';
import { SECTOR_BYTES } from './cached-file.ts';
import { FaultPlan } from './fault-plan.ts';
import { Incarnation } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';

function setUp(seed: number, options: { faults?: Record<string, number>; capacityBytes?: number } = {}) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(seed);
  const faults = new FaultPlan(random.fork('faults'), options.faults);
  const disk = new SimulatedDisk({ clock, random, faults, capacityBytes: options.capacityBytes });
  /** Runs a task of a process to its end in virtual time. */
  async function run<T>(task: () => Promise<T>): Promise<T> {
    let done = false;
    const result = task().finally(() => {
      done = true;
    });
    result.catch(() => undefined);
    await clock.run(() => done, 60_000);
    return result;
  }
  return { clock, disk, faults, run };
}

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

describe('SimulatedDisk', () => {
  test('reads, writes, truncates, lists, renames and removes', async () => {
    const { disk, run } = setUp(1);
    const view = disk.bind(new Incarnation('a'));
    await run(async () => {
      await expect(view.open('none')).rejects.toMatchObject({ code: 'not_found' });
      const file = await view.open('log/0/segment', { create: true });
      await file.write(filled(10, 1), 5);
      const target = new Uint8Array(20);
      expect([await file.read(target, 3), [...target.subarray(0, 4)]]).toEqual([12, [0, 0, 1, 1]]);
      await file.truncate(6);
      expect(await file.sizeBytes()).toBe(6);
      expect([await view.list('log'), await view.list('nope')]).toEqual([['0'], []]);
      await view.rename('log/0/segment', 'log/1');
      expect(await view.list('log')).toEqual(['1']);
      await view.remove('log');
      expect(await view.list('')).toEqual([]);
      await file.close();
      await expect(file.sizeBytes()).rejects.toMatchObject({ code: 'failed_precondition' });
      await view.lock('data');
      await expect(view.lock('data')).rejects.toMatchObject({ code: 'failed_precondition' });
    });
  });

  test('a power cut keeps synced changes, and all, some or no sectors of the others', async () => {
    const kept = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const { disk, run } = setUp(seed);
      const process = new Incarnation('a');
      const view = disk.bind(process);
      await run(async () => {
        const file = await view.open('f', { create: true });
        await file.write(filled(SECTOR_BYTES, 1), 0);
        await file.sync();
        await file.write(filled(4 * SECTOR_BYTES, 2), SECTOR_BYTES);
      });
      process.end();
      disk.crash('power');
      const left = disk.peek('f') ?? new Uint8Array();
      expect(left.subarray(0, SECTOR_BYTES)).toEqual(filled(SECTOR_BYTES, 1));
      let sectors = '';
      for (let at = SECTOR_BYTES; at < left.length; at += SECTOR_BYTES) {
        const values = new Set(left.subarray(at, at + SECTOR_BYTES));
        expect(values.size).toBe(1);
        sectors += [...values][0];
      }
      kept.add(sectors);
    }
    for (const outcome of ['', '2222', '2', '0222', '2022']) expect([...kept]).toContain(outcome);
  });

  test('a killed process loses at most the writes in progress', async () => {
    const { disk, run, clock } = setUp(2);
    const process = new Incarnation('a');
    const view = disk.bind(process);
    const file = await run(() => view.open('f', { create: true }));
    await run(() => file.write(filled(100, 1), 0));
    void file.write(filled(1_000, 2), 100);
    process.end();
    disk.crash('process');
    await clock.advance(1_000);
    const left = disk.peek('f') ?? new Uint8Array();
    expect(left.subarray(0, 100)).toEqual(filled(100, 1));
    expect(left.length).toBeLessThanOrEqual(1_100);
  });

  test('an ended process writes nothing more to the disk, at any moment of its end', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const { disk, run, clock } = setUp(seed);
      const process = new Incarnation('a');
      const view = disk.bind(process);
      const file = await run(() => view.open('f', { create: true }));
      let settled = 0;
      const operations = [
        () => file.write(filled(10, 9), 0),
        () => file.truncate(3),
        () => file.sync(),
        () => view.open('new', { create: true }),
        () => view.rename('f', 'g'),
        () => view.remove('f'),
        () => view.lock('data'),
      ];
      const start = () => {
        for (const operation of operations)
          operation().then(
            () => settled++,
            () => undefined,
          );
      };
      start();
      clock.setTimer((seed / 40) * 2, () => process.end());
      await clock.advance((seed / 40) * 2);
      disk.crash('power');
      const before = JSON.stringify([await run(() => disk.list('')), disk.peek('f'), disk.peek('g'), settled]);
      start();
      await clock.advance(1_000);
      expect(JSON.stringify([await run(() => disk.list('')), disk.peek('f'), disk.peek('g'), settled])).toBe(before);
      await run(() => disk.bind(new Incarnation('a', 2)).lock('data'));
    }
  });

  test('a full disk and failing writes keep a prefix, and a failed sync loses changes permanently', async () => {
    const { disk, run, faults } = setUp(3, {
      faults: { 'disk.full': 0.2, 'disk.write-error': 0.2, 'disk.sync-error': 0.2, 'disk.slow': 0.2 },
    });
    const view = disk.bind(new Incarnation('a'));
    const codes = new Set<string>();
    await run(async () => {
      const file = await view.open('f', { create: true });
      for (let i = 0; i < 100; i++) {
        await file.write(filled(600, i + 1), i * 600).catch((error) => codes.add(error.code));
        await file.sync().catch((error) => codes.add(error.code));
      }
    });
    expect([...codes].sort()).toEqual(['resource_exhausted', 'unavailable']);
    for (const count of Object.values(faults.counts())) expect(count.fired).toBeGreaterThan(0);
    const cached = disk.peek('f');
    faults.stop();
    await run(async () => (await view.open('f')).sync());
    disk.crash('power');
    expect(disk.peek('f')).not.toEqual(cached);
  });

  test('a disk refuses writes beyond its size', async () => {
    const { disk, run } = setUp(4, { capacityBytes: 1_000 });
    const view = disk.bind(new Incarnation('a'));
    await run(async () => {
      const file = await view.open('f', { create: true });
      await file.write(filled(900, 1), 0);
      await expect(file.write(filled(200, 2), 900)).rejects.toMatchObject({ code: 'resource_exhausted' });
      expect(await view.space()).toEqual({ freeBytes: 0, totalBytes: 1_000 });
      await file.write(filled(900, 3), 0);
    });
  });
});
