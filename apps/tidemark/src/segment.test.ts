import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { archiveGeneration, DAY, type DayLog, dayLog, readLog } from '@tidemark/archive/testing';
import { openLocalObjects } from '@tidemark/folder-objects';
import { DAY_MS } from '@tidemark/model';
import { seriesIdOf } from '@tidemark/point-log/testing';
import { tidemark } from './started-process.fixture.ts';

/** Each test starts some programs, one after the other. */
jest.setTimeout(120_000);

let folder: string;
let log: DayLog;
let toOffset: number;
const segmentIn = (objects: string, ...args: string[]) =>
  tidemark('segment', ...args, '--objects-store', 'folder', '--objects-folder', objects);
const segment = (...args: string[]) => segmentIn(folder, ...args);

/** The readings and counts of the day, as `series time value`; no count has late points. */
function expected(isAsked: (series: number, value: number) => boolean): string[] {
  const found = new Map<string, number>();
  for (const { series, timeMs, value, offset } of log.points) {
    if (Math.floor(timeMs / DAY_MS) !== DAY || offset >= toOffset || !isAsked(series, value)) continue;
    found.set(`${seriesIdOf(series).toString('hex')} ${new Date(timeMs).toISOString()}`, value);
  }
  return [...found].map(([key, value]) => `${key} ${value}`).sort();
}

const pointsIn = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { series: string; time: string; value: number })
    .map(({ series, time, value }) => `${series} ${time} ${value}`)
    .sort();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-segment-'));
  log = dayLog();
  const { content, places } = await readLog(log);
  toOffset = places[places.length - 1].toOffset;
  const objects = openLocalObjects(folder);
  for (const place of places) await archiveGeneration(objects, content, place);
  await objects.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('tidemark segment ls', () => {
  test('lists the generations of days, as a table, JSON and CSV', async () => {
    const { code, out, error } = await segment('ls', '--format', 'json');
    expect([code, error]).toEqual([0, '']);
    const { days, unusable } = JSON.parse(out);
    expect(unusable).toEqual([]);
    expect(days.length).toBeGreaterThan(1);
    const counts = { segments: 1, metrics: 2, series: 6, points: 864 };
    expect(days[0]).toMatchObject({ day: '2024-10-04', partition: 0, fromOffset: 0, ...counts, logId: 'a1' });
    expect(days[0].bytesPerPoint).toBeCloseTo(days[0].bytes / 864);
    expect(days[1]).toMatchObject({ day: '2024-10-04', fromOffset: days[0].toOffset });
    const csv = (await segment('ls', '--format', 'csv')).out.split('\n');
    expect(csv[0]).toBe('day,partition,segments,metrics,series,points,bytes,bytes/point,from offset,to offset');
    expect(csv[1]).toMatch(/^2024-10-04,0,1,2,6,864,\d+,[\d.]+,0,\d+$/);
    expect((await segment('ls')).out).toMatch(/2024-10-04 .* 864 .* \d+ B /);
  });

  test('says that there is none of those that were asked for, and refuses what is not a day', async () => {
    const none = await segment('ls', '--from', '2024-10-05');
    expect([none.code, none.error]).toEqual([0, '']);
    expect(none.out).toMatch(/^no such archived days are in /);
    const bad = await segment('ls', '--from', '2024-02-30');
    expect(bad.code).toBe(1);
    expect(bad.error).toContain('Give a day as 2026-01-31.');
    const order = await segment('ls', '--from', '2024-10-05', '--to', '2024-10-04');
    expect(order).toMatchObject({ code: 1, error: expect.stringContaining('--from: 2024-10-05 (limit: up to --to') });
  });
});

describe('tidemark segment cat', () => {
  test('prints the points of a metric, of all generations', async () => {
    const { code, out, error } = await segment('cat', 'shop.0', '--tenant', 'acme', '--format', 'json');
    expect([code, error]).toEqual([0, '']);
    expect(pointsIn(out)).toEqual(expected((series) => series % 4 === 0));
    const range = ['--from', '2024-10-04T02:00:00Z', '--to', '2024-10-04T02:20:00Z'];
    const some = await segment('cat', 'shop.0', '--tenant', 'acme', '--tag', 'host:8', ...range);
    expect(some.out).toBe(
      '2024-10-04T02:00:00.000Z shop.0{env:test,host:8} 13\n2024-10-04T02:10:00.000Z shop.0{env:test,host:8} 14\n',
    );
  });

  test('says what there is when nothing is found', async () => {
    const { code, out, error } = await segment('cat', 'shop.9');
    expect([code, out]).toEqual([1, '']);
    expect(error).toMatch(
      /no points of shop\.9 of tenant default in this range; the archived days, 2024-10-04 to 2024-10-04, have acme\/shop\.0, acme\/shop\.1/,
    );
  });

  test('names a damaged segment, and prints the rest', async () => {
    const damaged = `${folder}-damaged`;
    await cp(folder, damaged, { recursive: true });
    try {
      const objectsOfDay = await readdir(join(damaged, 'objects/days/points-0/2024-10-04'));
      const [, file] = objectsOfDay.filter((name) => name.endsWith('.segment')).sort();
      const key = `days/points-0/2024-10-04/${file}`;
      const objects = openLocalObjects(damaged);
      const bytes = Uint8Array.from((await objects.get(key)).bytes);
      bytes[150] ^= 1;
      await objects.put(key, bytes);
      await objects.close();
      const { code, out, error } = await segmentIn(damaged, 'cat', 'shop.0', '--tenant', 'acme', '--format', 'json');
      expect(code).toBe(1);
      expect(error).toMatch(
        /^object days\/points-0\/2024-10-04\/\d{16}-0\.segment: .* by its manifest\): restore it from a copy\n$/,
      );
      const verified = await segmentIn(damaged, 'verify');
      expect([verified.code, verified.error]).toEqual([1, error]);
      expect(verified.out).toMatch(
        /^2024-10-04 points\/0 from 0 to \d+: whole\n2024-10-04 points\/0 from \d+ to \d+: damaged\n$/,
      );
      // Late points are in the second generation alone.
      expect(pointsIn(out)).toEqual(expected((series, value) => series % 4 === 0 && value >= 0));
    } finally {
      await rm(damaged, { recursive: true, force: true });
    }
  });
});

describe('tidemark segment export', () => {
  test('writes a new file of CSV, and overwrites nothing', async () => {
    const file = join(folder, 'points.csv');
    const { code, error } = await segment('export', '--out', file);
    expect([code, error]).toEqual([0, `${file}: 864 points\n`]);
    const [head, ...rows] = (await readFile(file, 'utf8')).trimEnd().split('\r\n');
    expect(head).toBe('time,tenant,metric,class,series,tags,value,count,sum,min,max');
    const points = rows.map((row) => {
      const found = /^(.+?),acme,shop\.[01],(?:reading|count),([0-9a-f]{32}),"\[.*\]",([^,]+),,,,$/.exec(row);
      return `${found?.[2]} ${found?.[1]} ${found?.[3]}`;
    });
    expect(points.sort()).toEqual(expected(() => true));
    const again = await segment('export', '--out', file);
    expect(again).toMatchObject({ code: 1, error: expect.stringContaining(`${file} exists: it is not overwritten`) });
    expect((await readdir(folder)).filter((name) => name.includes('.tmp'))).toEqual([]);
  });
});
