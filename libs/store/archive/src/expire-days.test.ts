import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openLocalObjects } from '@tidemark/folder-objects';
import { type ObjectStore, TidemarkError } from '@tidemark/ports';
import { manifestKey, namesKey, segmentKey } from './day-place.ts';
import { expireDays } from './expire-days.ts';

const DAY = 20_000;
let folder: string;
let objects: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-expire-days-'));
  objects = openLocalObjects(folder);
  for (const partition of [0, 1]) for (let day = DAY; day < DAY + 4; day++) await put(partition, day);
});
afterEach(async () => {
  await objects.close();
  await rm(folder, { recursive: true, force: true });
});

async function put(partition: number, day: number): Promise<void> {
  for (const toOffset of [7, 9]) {
    const place = { partition, day, logId: 'a1', fromOffset: 0, toOffset };
    for (const key of [segmentKey(place, 0), segmentKey(place, 1), namesKey(place), manifestKey(place)]) {
      await objects.put(key, Buffer.from(key));
    }
  }
}

/** Objects that are there, by partition and date. */
async function counted(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { key } of (await objects.list('')).objects) {
    const of = key.split('/').slice(1, 3).join(' ');
    counts[of] = (counts[of] ?? 0) + 1;
  }
  return counts;
}

const OTHERS = {
  'points-1 2024-10-04': 8,
  'points-1 2024-10-05': 8,
  'points-1 2024-10-06': 8,
  'points-1 2024-10-07': 8,
};

describe('the retention of archived days', () => {
  test('deletes the days before one, of one partition, with all of their objects', async () => {
    expect(await expireDays(objects, { partition: 0, firstKept: DAY + 2 })).toEqual([DAY, DAY + 1]);
    expect(await counted()).toEqual({ 'points-0 2024-10-06': 8, 'points-0 2024-10-07': 8, ...OTHERS });
    expect(await expireDays(objects, { partition: 0, firstKept: DAY + 2 })).toEqual([]);
    expect(await expireDays(objects, { partition: 0, firstKept: DAY })).toEqual([]);
  });

  test('is repeated after a crash, and what is left of a day has no manifest', async () => {
    let calls = 0;
    const crashing: ObjectStore = Object.create(objects, {
      list: { value: (...args: Parameters<ObjectStore['list']>) => objects.list(...args) },
      delete: {
        value: (keys: readonly string[]) => {
          if (calls++ === 1) throw new TidemarkError('unavailable', 'cut off');
          return objects.delete(keys);
        },
      },
    });
    await expect(expireDays(crashing, { partition: 0, firstKept: DAY + 3 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    const left = (await objects.list('days/points-0/2024-10-04/')).objects.map(({ key }) => key);
    expect(left).toHaveLength(6);
    expect(left.filter((key) => key.endsWith('.json'))).toEqual([]);
    // What has no manifest is not a day, and goes.
    expect(await expireDays(objects, { partition: 0, firstKept: DAY + 3 })).toEqual([]);
    expect(await counted()).toEqual({ 'points-0 2024-10-07': 8, ...OTHERS });
  });

  test('leaves objects that are not of this program', async () => {
    await objects.put('days/points-0/readme.txt', Buffer.from('of an operator'));
    expect(await expireDays(objects, { partition: 0, firstKept: DAY + 4 })).toHaveLength(4);
    expect(await counted()).toEqual({ 'points-0 readme.txt': 1, ...OTHERS });
  });
});
