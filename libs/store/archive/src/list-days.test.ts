import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openLocalObjects } from '@tidemark/folder-objects';
import type { ObjectStore } from '@tidemark/ports';
import { type ArchivedDay, encodeDay } from './day-manifest.ts';
import { manifestKey, namesKey, segmentKey } from './day-place.ts';
import { type ListedDays, listDays } from './list-days.ts';

const DAY = 20_000;
let folder: string;
let objects: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-list-days-'));
  objects = openLocalObjects(folder);
});
afterEach(async () => {
  await objects.close();
  await rm(folder, { recursive: true, force: true });
});

function dayOf(partition: number, day: number, toOffset = 7): ArchivedDay {
  return {
    ...{ partition, day, logId: 'a1', fromOffset: 0, toOffset },
    segments: [{ bytes: 5, crc32c: 1, metrics: 1, series: 2, points: 3 }],
    ...{ namesBytes: 4, namesCrc32c: 2, namedSeries: 2 },
  };
}

async function put(day: ArchivedDay): Promise<ArchivedDay> {
  for (const [part, { bytes }] of day.segments.entries()) {
    await objects.put(segmentKey(day, part), Buffer.alloc(bytes));
  }
  await objects.put(namesKey(day), Buffer.alloc(day.namesBytes));
  await objects.put(manifestKey(day), encodeDay(day));
  return day;
}

function found({ findings }: ListedDays): string[] {
  return findings.map(({ key, error }) => `${key} ${error.code}: ${error.message}`);
}

/** The store with pages of two keys. */
function inPages(): ObjectStore {
  return Object.create(objects, {
    list: {
      value: (prefix: string, options?: object) => objects.list(prefix, { ...options, limit: 2 }),
    },
    get: { value: (...args: Parameters<ObjectStore['get']>) => objects.get(...args) },
    head: { value: (...args: Parameters<ObjectStore['head']>) => objects.head(...args) },
  });
}

describe('the list of days', () => {
  test('has all pages, sorted by day, partition and cut, and only those that are asked for', async () => {
    const days = [
      await put(dayOf(0, DAY)),
      await put(dayOf(2, DAY)),
      await put(dayOf(2, DAY, 9)),
      await put(dayOf(10, DAY)),
      await put(dayOf(2, DAY + 1)),
    ];
    expect(await listDays(inPages())).toEqual({ days, findings: [] });
    expect((await listDays(objects, { partition: 2 })).days).toEqual([days[1], days[2], days[4]]);
    expect((await listDays(objects, { fromDay: DAY + 1 })).days).toEqual([days[4]]);
    expect((await listDays(objects, { throughDay: DAY })).days).toEqual(days.slice(0, 4));
    expect((await listDays(objects, { partition: 1 })).days).toEqual([]);
  });

  test('names what it can not use, and lists the rest', async () => {
    const whole = await put(dayOf(0, DAY));
    // A crash left it: it has no manifest.
    await objects.put(segmentKey(dayOf(1, DAY), 0), Buffer.from('left'));
    await objects.put('days/readme.txt', Buffer.from('of an operator'));
    await objects.put('days/points-0/2024-13-77/0.json', Buffer.from('{}'));
    await objects.put(manifestKey(dayOf(3, DAY)), encodeDay(dayOf(4, DAY)));
    await objects.put(manifestKey(dayOf(5, DAY)), encodeDay(dayOf(5, DAY)).subarray(1));
    const listed = await listDays(objects);
    expect(listed.days).toEqual([whole]);
    expect(found(listed)).toEqual([
      expect.stringMatching(
        /^days\/points-0\/2024-13-77\/0\.json invalid_argument: key of a day: .*\(limit: days\/points-PARTITION/,
      ),
      expect.stringMatching(/^days\/points-3\/2024-10-04\/0{15}7\.json data_loss: .*the manifest of days\/points-4\//),
      expect.stringMatching(/^days\/points-5\/2024-10-04\/0{15}7\.json data_loss: /),
    ]);
  });

  test('names objects of a manifest that are not there or have another size', async () => {
    const day = await put(dayOf(0, DAY));
    await objects.delete([segmentKey(day, 0)]);
    await objects.put(namesKey(day), Buffer.from('longer than four'));
    const listed = await listDays(objects);
    expect(listed.days).toEqual([day]);
    expect(found(listed)).toEqual([
      expect.stringMatching(/7-0\.segment data_loss: object .* does not exist \(expected: 5 bytes, by .*7\.json\)/),
      expect.stringMatching(/7\.names data_loss: object .* has 16 bytes \(expected: 4 bytes/),
    ]);
  });
});
