import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openLocalObjects } from '@tidemark/folder-objects';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { classOf, seriesIdOf } from '@tidemark/point-log/testing';
import type { ObjectStore } from '@tidemark/ports';
import { packedTotals } from '@tidemark/sketch';
import { namesKey, segmentKey } from '../day-place.ts';
import { type DayFinding, listDays } from '../list-days.ts';
import { archiveGeneration, DAY, type DayLog, dayLog, NAMES, readLog } from '../testing/archived-log.ts';
import { archivedSeries } from './archived-series.ts';
import type { ArchivedQuery } from './generation-series.ts';

const HOUR_MS = 3_600_000;
const START_MS = DAY * DAY_MS;
/** Of each class; a reading and a count, and a distribution, have late points. */
const SERIES = { series: [0, 4, 8, 1, 5, 3, 7], late: [4, 1, 3] };
const ALL = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

let folder: string;
let objects: ObjectStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-archived-series-'));
  objects = openLocalObjects(folder);
});
afterEach(async () => {
  await objects.close();
  await rm(folder, { recursive: true, force: true });
});

/** Archives all generations of a log. Returns them. */
async function archived(log: DayLog, options?: Parameters<typeof archiveGeneration>[3]) {
  const { content, places } = await readLog(log);
  for (const place of places) await archiveGeneration(objects, content, place, options);
  return places;
}

/** The values by series and time, those of sketches in ascending order. */
type Found = Map<string, number[]>;

async function read(
  query: Partial<ArchivedQuery> = {},
): Promise<{ found: Found; findings: DayFinding[]; names: string[] }> {
  const findings: DayFinding[] = [];
  const found: Found = new Map();
  const names: string[] = [];
  const { days } = await listDays(objects);
  const parts = { objects, onFinding: (one: DayFinding) => findings.push(one) };
  for await (const series of archivedSeries(parts, days, { ...ALL, ...query })) {
    const id = Buffer.from(series.id).toString('hex');
    names.push(`${series.tenant}/${series.metric}{${series.tags?.join(',') ?? id}}`);
    series.timesMs.forEach((timeMs, i) => {
      const value = series.values?.[i] ?? packedTotals(series.sketches?.[i] ?? new Uint8Array()).sum;
      found.set(
        `${id} ${timeMs}`,
        [...(found.get(`${id} ${timeMs}`) ?? []), value].sort((a, b) => a - b),
      );
    });
  }
  return { found: new Map([...found].sort()), findings, names };
}

/** What a store has of a log on the day, below an offset. */
function expected({ points }: DayLog, toOffset: number, isAsked: (timeMs: number, series: number) => boolean): Found {
  const found = new Map<string, { mapEpoch: number; values: number[] }>();
  for (const { series, timeMs, value, offset, mapEpoch } of points) {
    if (Math.floor(timeMs / DAY_MS) !== DAY || offset >= toOffset || !isAsked(timeMs, series)) continue;
    const key = `${seriesIdOf(series).toString('hex')} ${timeMs}`;
    const { mapEpoch: known = 0, values = [] } = found.get(key) ?? {};
    if (classOf(series) === SERIES_CLASS.reading) {
      if (mapEpoch >= known) found.set(key, { mapEpoch, values: [value] });
    } else if (classOf(series) === SERIES_CLASS.count) {
      found.set(key, { mapEpoch, values: [(values[0] ?? 0) + value] });
    } else {
      found.set(key, { mapEpoch, values: [...values, value].sort((a, b) => a - b) });
    }
  }
  return new Map([...found].map(([key, { values }]): [string, number[]] => [key, values]).sort());
}

describe('the points of archived days', () => {
  test.each([
    ['a later generation', { mapEpoch: 1, lateEpoch: 1 }],
    ['a later generation of a higher map epoch', { mapEpoch: 1, lateEpoch: 2 }],
    ['an earlier generation of a higher map epoch', { mapEpoch: 2, lateEpoch: 1 }],
  ])('are those of the log, merged with %s', async (_, epochs) => {
    const log = dayLog({ ...SERIES, ...epochs });
    const places = await archived(log);
    expect(places.length).toBeGreaterThan(1);
    const { found, findings, names } = await read();
    expect(findings).toEqual([]);
    expect(found).toEqual(expected(log, places[places.length - 1].toOffset, () => true));
    expect(names).toHaveLength(7);
    expect(names).toContain('acme/shop.0{env:test,host:4}');
  });

  test('are selected by metric, tags and time', async () => {
    const log = dayLog(SERIES);
    const { toOffset } = (await archived(log, { segmentBytes: 100 })).slice(-1)[0];
    const range = { fromMs: START_MS + 2 * HOUR_MS, toMs: START_MS + 5 * HOUR_MS + 1 };
    const isIn = (timeMs: number) => timeMs >= range.fromMs && timeMs < range.toMs;
    expect((await read({ ...range, tenant: 'acme', metric: 'shop.1' })).found).toEqual(
      expected(log, toOffset, (timeMs, series) => series % 4 === 1 && isIn(timeMs)),
    );
    expect((await read({ ...range, tags: ['host:4', 'env:test'] })).found).toEqual(
      expected(log, toOffset, (timeMs, series) => series === 4 && isIn(timeMs)),
    );
    expect((await read({ tenant: 'other', metric: 'shop.1' })).found.size).toBe(0);
    expect((await read({ fromMs: START_MS + DAY_MS })).found.size).toBe(0);
  });

  test('that can not be read are named, and the others are read', async () => {
    const log = dayLog(SERIES);
    const places = await archived(log, { segmentBytes: 100 });
    const { toOffset } = places[places.length - 1];
    const key = segmentKey(places[0], 0);
    const { bytes } = await objects.get(key);
    // In the first page: the index and further segments are whole. The store has the checksum of the damaged bytes.
    const damaged = Uint8Array.from(bytes);
    damaged[250] ^= 1;
    await objects.put(key, damaged);
    await objects.delete([namesKey(places[1])]);
    const { found, findings, names } = await read();
    expect(findings.map(({ key: of, error }) => [of, error.code])).toEqual(
      expect.arrayContaining([
        [key, 'data_loss'],
        [namesKey(places[1]), 'not_found'],
      ]),
    );
    expect(findings).toHaveLength(2);
    expect(names.length).toBeGreaterThan(4);
    const whole = expected(log, toOffset, (_, series) => classOf(series) !== SERIES_CLASS.reading);
    for (const [one, value] of whole) expect([one, found.get(one)]).toEqual([one, value]);
  });

  test('of series without a name have their id', async () => {
    await archived(dayLog({ series: [0], late: [] }), {
      names: { ...NAMES, hasGaps: true, tagsOf: () => undefined },
    });
    expect((await read()).names).toEqual([`acme/shop.0{${seriesIdOf(0).toString('hex')}}`]);
    expect((await read({ tags: ['env:test'] })).names).toEqual([]);
  });
});
