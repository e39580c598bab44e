import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openLocalObjects } from '@tidemark/folder-objects';
import { DAY_MS, type SeriesName } from '@tidemark/model';
import { LogBuilder, metricIdOf, seriesIdOf } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { generationsOf, PageCodec, PointPartition } from '@tidemark/point-store';
import { type LogRecord, type ObjectStore, TidemarkError, WorkSlice } from '@tidemark/ports';
import { objectSource, planPages, readPages, Segment } from '@tidemark/segment';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';
import { archivedDay, placeToArchive } from './archive-day.ts';
import { type DayPlace, manifestKey, namesKey, segmentKey } from './day-place.ts';
import { NamesObject } from './names/names-object.ts';
import { archiveGeneration, DAY, dayLog, LIMITS, NAMES, readLog } from './testing/index.ts';

const HOUR_MS = 3_600_000;
const LOG = dayLog();
const slice = new WorkSlice(undefined, undefined);

let folder: string;
let stores = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-archive-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function newObjects(): ObjectStore {
  return openLocalObjects(join(folder, String(stores++)));
}

/** The values of a generation by series and time, as a reader finds them by the manifest alone. */
async function valuesOf(objects: ObjectStore, place: DayPlace): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  const { decoder, columnAt } = new PageCodec();
  const { segments = [] } = (await archivedDay(objects, place)) ?? {};
  for (const part of segments.keys()) {
    const segment = await Segment.open(objectSource(objects, await objects.head(segmentKey(place, part))));
    const all = { tenant: 'acme', fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
    for (const metric of ['shop.0', 'shop.1']) {
      for await (const plan of planPages(segment, { ...all, metric })) {
        for (const { group, ids, pages } of await readPages(segment, plan, slice)) {
          for (const page of pages) {
            for (let slot = 0; slot < page.slots; slot++) {
              decoder.decode(page, slot, columnAt);
              page.times.timesOf(page.classOf(slot)).forEach((timeMs, i) => {
                const id = Buffer.from(ids[page.series[slot] - group.firstSeries]).toString('hex');
                values.set(`${id} ${timeMs}`, decoder.floats[columnAt / 8 + i]);
              });
            }
          }
        }
      }
    }
  }
  return values;
}

/** The names of the series of a generation by id, in hex. */
async function namesOf(objects: ObjectStore, place: DayPlace): Promise<Map<string, SeriesName>> {
  const found = new Map<string, SeriesName>();
  const names = await NamesObject.open(objectSource(objects, await objects.head(namesKey(place))));
  for await (const { id, name } of names.read()) found.set(Buffer.from(id).toString('hex'), name);
  expect((await archivedDay(objects, place))?.namedSeries).toBe(found.size);
  return found;
}

/** All objects by key. */
async function objectsOf(objects: ObjectStore): Promise<[string, string][]> {
  const listed = (await objects.list('')).objects;
  return Promise.all(
    listed.map(async ({ key }): Promise<[string, string]> => {
      return [key, Buffer.from((await objects.get(key)).bytes).toString('hex')];
    }),
  );
}

describe('a closed day in the object store', () => {
  test('has each point once over its generations, and the same bytes from replicas that stopped at other times', async () => {
    const [one, other] = [await readLog(LOG, [100, 101, 240, 333]), await readLog(LOG)];
    expect(one.places.length).toBeGreaterThan(1);
    expect(other.places).toEqual(one.places);
    const [first, second] = [newObjects(), newObjects()];
    const values = new Map<string, number>();
    let found = 0;
    for (const place of one.places) {
      const archived = await archiveGeneration(first, one.content, place);
      expect(await archiveGeneration(second, other.content, place)).toEqual(archived);
      const names = await namesOf(first, place);
      for (const [key, value] of await valuesOf(first, place)) {
        expect(names.has(key.split(' ')[0])).toBe(true);
        values.set(key, value);
        found++;
      }
    }
    expect(await objectsOf(second)).toEqual(await objectsOf(first));
    expect((await objectsOf(first)).map(([key]) => key)).toEqual(
      one.places.flatMap(({ toOffset }) => {
        const stem = `days/points-0/2024-10-04/${String(toOffset).padStart(16, '0')}`;
        return [`${stem}-0.segment`, `${stem}.json`, `${stem}.names`];
      }),
    );
    const expected = new Map<string, number>();
    const { toOffset } = one.places[one.places.length - 1];
    for (const { series, timeMs, value, offset } of LOG.points) {
      const isOfDay = Math.floor(timeMs / DAY_MS) === DAY && offset < toOffset;
      if (isOfDay) expected.set(`${seriesIdOf(series).toString('hex')} ${timeMs}`, value);
    }
    expect(new Map([...values].sort())).toEqual(new Map([...expected].sort()));
    // A late value of an equal time is in a later generation, which stands: each generation has what its own records have.
    const inGenerations = one.places.map(({ fromOffset, toOffset: to }) => {
      const own = LOG.points.filter(
        ({ timeMs, offset }) => Math.floor(timeMs / DAY_MS) === DAY && offset < to && offset >= fromOffset,
      );
      return new Set(own.map(({ series, timeMs }) => `${series} ${timeMs}`)).size;
    });
    expect(found).toBe(inGenerations.reduce((sum, points) => sum + points, 0));
    expect(found).toBeGreaterThan(expected.size);
    await first.close();
    await second.close();
  });

  test('of several segments is complete after a crash at each put, and invisible before', async () => {
    const { content, places } = await readLog(LOG);
    const [place] = places;
    const whole = newObjects();
    const archived = await archiveGeneration(whole, content, place, { segmentBytes: 100 });
    expect(archived.segments.length).toBeGreaterThan(1);
    const crashed = newObjects();
    for (let puts = 0; puts <= archived.segments.length + 1; puts++) {
      let left = puts;
      const failing: ObjectStore = Object.create(crashed, {
        put: { value: () => Promise.reject(new TidemarkError('unavailable', 'cut off')) },
        putStream: {
          value: (...args: Parameters<ObjectStore['putStream']>) => {
            if (left-- > 0) return crashed.putStream(...args);
            return Promise.reject(new TidemarkError('unavailable', 'cut off'));
          },
        },
        head: { value: (...args: Parameters<ObjectStore['head']>) => crashed.head(...args) },
        get: { value: (...args: Parameters<ObjectStore['get']>) => crashed.get(...args) },
        getRange: { value: (...args: Parameters<ObjectStore['getRange']>) => crashed.getRange(...args) },
      });
      await expect(archiveGeneration(failing, content, place, { segmentBytes: 100 })).rejects.toMatchObject({
        code: 'unavailable',
      });
      expect(await archivedDay(crashed, place)).toBeUndefined();
    }
    expect(await archiveGeneration(crashed, content, place, { segmentBytes: 100 })).toEqual(archived);
    expect(await objectsOf(crashed)).toEqual(await objectsOf(whole));
    await whole.close();
    await crashed.close();
  });

  test('of a platform that lost its disk is continued by the restored one, with each point that either of them had once', async () => {
    const builder = new LogBuilder();
    const startMs = DAY * DAY_MS;
    builder.bare(RECORD.open, 0, startMs);
    const points: { series: number; timeMs: number; value: number; offset: number }[] = [];
    for (let hour = 0; hour < 60; hour++) {
      // The snapshot has the records up to hour 45, the lost log those up to hour 51; the day closes in between.
      if (hour === 52) builder.nextEpoch(0);
      const timeMs = startMs + hour * HOUR_MS;
      // Counts that come late would show a point that is taken twice. The commit after the gap has one.
      const own = [0, 4].map((series) => ({ series, timeMs, value: hour }));
      if (hour % 5 === 4 || hour === 52) own.push({ series: 1, timeMs: startMs + 600_000 + (hour % 3), value: 1 });
      const { offset } = builder.block(0, timeMs, [{ client: 0, sequence: hour, points: own }]);
      points.push(...own.map((one) => ({ ...one, offset })));
    }
    const offsetOf = (hour: number) => hour + 1;
    const [snapshotAt, lostUntil] = [offsetOf(46), offsetOf(52)];
    const read = async (content: Content, records: readonly LogRecord[], before?: (one: PointPartition) => void) => {
      const keyValue = new MemoryKeyValue(content);
      const partition = await PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000 });
      before?.(partition);
      for (const record of records) {
        partition.apply(record);
        if (partition.wantsCommit) await partition.commit();
      }
      await partition.commit();
      await partition.whenClosed();
      const [place] = partition.status.closedDays.flatMap(generationsOf).filter(({ day }) => day === DAY);
      await partition.stop();
      return place && { ...place, partition: 0, logId: 'a1' };
    };
    const { records } = builder;
    const objects = newObjects();
    const lost: Content = new Map();
    const first = await read(lost, records.slice(0, lostUntil));
    expect(first.toOffset).toBeGreaterThan(snapshotAt);
    await archiveGeneration(objects, lost, first);

    const restored: Content = new Map();
    expect(await read(restored, records.slice(0, snapshotAt))).toBeUndefined();
    const second = await read(restored, records.slice(lostUntil), (one) => {
      one.skip('the disk was lost', { records: lostUntil - snapshotAt });
    });
    const place = await placeToArchive(objects, second);
    if (place === undefined) throw new Error('the day of the restored platform is another generation');
    expect([second.fromOffset, place.fromOffset, place.toOffset]).toEqual([0, first.toOffset, second.toOffset]);
    await archiveGeneration(objects, restored, place);
    expect(await placeToArchive(objects, second)).toBeUndefined();

    const expected = new Map<string, number>();
    for (const { series, timeMs, value, offset } of points) {
      const isKept = offset < first.toOffset || (offset >= lostUntil && offset < second.toOffset);
      if (!isKept || Math.floor(timeMs / DAY_MS) !== DAY) continue;
      const key = `${seriesIdOf(series).toString('hex')} ${timeMs}`;
      expected.set(key, series === 1 ? (expected.get(key) ?? 0) + value : value);
    }
    const found = new Map<string, number>();
    for (const one of [first, place]) {
      for (const [key, value] of await valuesOf(objects, one)) {
        found.set(key, key.startsWith(seriesIdOf(1).toString('hex')) ? (found.get(key) ?? 0) + value : value);
      }
    }
    expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
    await objects.close();
  });

  test('is not made from a database that ends before its cut, and needs no name of a metric without a point', async () => {
    const { content, places } = await readLog(LOG);
    const [place] = places;
    const objects = newObjects();
    const later = { ...place, toOffset: 1_000_000 };
    await expect(archiveGeneration(objects, content, later)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringMatching(/^the database of points\/0 ends at offset \d+, and the day closed at 1000000$/),
    });
    // The second generation has late points of one series, and its day has pages of both metrics.
    const names = {
      ...NAMES,
      metricOf: (id: Uint8Array) => (Buffer.compare(id, metricIdOf(1)) === 0 ? undefined : NAMES.metricOf(id)),
    };
    const archived = await archiveGeneration(objects, content, places[1], { names });
    expect(archived.segments.map(({ metrics }) => metrics)).toEqual([1]);
    await objects.close();
  });

  test('is not made where the object store has another one, or a metric has no name', async () => {
    const { content, places } = await readLog(LOG);
    const [place] = places;
    const objects = newObjects();
    await expect(
      archiveGeneration(objects, content, place, { names: { ...NAMES, metricOf: () => undefined } }),
    ).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringMatching(/^no name is known of the metric [0-9a-f]{32}; it is read again/),
    });
    expect(await objectsOf(objects)).toEqual([]);
    await objects.put(segmentKey(place, 0), Buffer.from('something else'));
    await expect(archiveGeneration(objects, content, place)).rejects.toMatchObject({ code: 'data_loss' });
    await objects.delete([segmentKey(place, 0)]);
    // A whole segment, which is another one.
    const [, later] = places;
    await archiveGeneration(objects, content, later);
    await objects.put(segmentKey(place, 0), (await objects.get(segmentKey(later, 0))).bytes);
    await expect(archiveGeneration(objects, content, place)).rejects.toMatchObject({
      code: 'data_loss',
      message: expect.stringMatching(/expected \d+ with \d+: replicas differ/),
    });
    await objects.delete([segmentKey(place, 0)]);
    await archiveGeneration(objects, content, place);
    await expect(archiveGeneration(objects, content, { ...place, logId: 'b2' })).rejects.toMatchObject({
      code: 'data_loss',
      message: expect.stringMatching(
        /logId: a1 \(limit: b2\); it is a day of another platform.*set another objects.prefix/,
      ),
    });
    const key = manifestKey(place);
    const { bytes } = await objects.get(key);
    await objects.put(key, bytes.subarray(1));
    await expect(archiveGeneration(objects, content, place)).rejects.toMatchObject({
      code: 'data_loss',
      detail: { key },
    });
    await objects.close();
  });
});
