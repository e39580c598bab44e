import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { decodeDay, NamesObject } from '@tidemark/archive';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import { openLocalObjects } from '@tidemark/folder-objects';
import { metricId } from '@tidemark/model';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { classOf, LogBuilder, seriesIdOf } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS } from '@tidemark/point-store';
import type { Events } from '@tidemark/ports';
import { objectSource } from '@tidemark/segment';
import { StoreWorkers } from '@tidemark/store-workers';
import { TagRecordWriter } from '@tidemark/tag-records';
import { ArchiveSchedule } from './archive-schedule.ts';
import { SnapshotSchedule } from './snapshot-schedule.ts';
import { SnapshotThread } from './snapshot-thread.ts';

/** Each test starts threads. */
jest.setTimeout(300_000);

const DAY_MS = 86_400_000;
const DAY = 20_000;
const START_MS = DAY * DAY_MS;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, bucketMs: 7_200_000 };
const SERIES = [0, 1, 2];

let folder = '';
const ends: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-archived-days-'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

/** A point store and a tag store over an embedded log, whose snapshots are made on request, and whose days are archived at once. */
async function start({ intervalMs = 50, retentionMs = 0 } = {}) {
  const clock = new SystemClock();
  const random = new SystemRandom();
  const log = await openEmbeddedLog({
    ...{ disk: new LocalDisk(join(folder, 'log')), clock, random },
    partitions: { points: 1, tags: 1 },
  });
  ends.push(() => log.close());
  const reports: string[] = [];
  const thread = new SnapshotThread(
    { place: { store: 'folder', folder: join(folder, 'objects') }, folder, user: 'test' },
    clock,
  );
  const stores = new StoreWorkers({
    ...{ folder, kinds: ['points', 'tags'], owned: [0], limits: LIMITS, latenessMs: 1000, threads: 1 },
    log: { kind: 'embedded', folder: join(folder, 'log'), partitions: 1 },
    ...{ openFiles: undefined, hasSnapshots: true, canRestore: true },
    restore: (request) => thread.restore(request),
    onRestored: () => undefined,
    onTrimmable: () => undefined,
    onHalted: (topic, _partition, _offset, reason) => reports.push(`${topic} halted: ${reason}`),
    onRereading: () => undefined,
    onRebuilding: () => undefined,
    onResumed: () => undefined,
    onProblem: () => undefined,
    onLoss: () => undefined,
    onFailed: (error) => {
      throw error;
    },
  });
  ends.push(() => stores.stop());
  log.onAppend((...progress) => stores.progress(...progress));
  const events: Events = {
    info: (message, facts) => {
      if (message.startsWith('deleted')) reports.push(`${message}: ${facts?.days}`);
      if (message.startsWith('archived'))
        reports.push(`${message}: ${facts?.day} ${facts?.toOffset}, ${facts?.points} points`);
    },
    error: () => undefined,
    fatal: () => undefined,
  };
  const problems: string[] = [];
  const parts = {
    ...{ stores, thread, disk: new LocalDisk(folder), clock, random, events },
    pathOf: (path: string) => join(folder, path),
    health: {
      report: (kind: string, part: string, cause: { message: string } | undefined) => {
        if (cause !== undefined) problems.push(`${kind} of ${part}: ${cause.message}`);
      },
    },
  };
  const places = (['points', 'tags'] as const).map((kind) => ({ kind, partition: 0 }));
  const schedule = new SnapshotSchedule({ ...parts, places }, { intervalMs: 0, keep: 2, keepMs: 0 });
  ends.push(() => schedule.stop());
  const days = new ArchiveSchedule({ ...parts, partitions: [0], limits: LIMITS }, { intervalMs, retentionMs });
  ends.push(() => days.stop());
  await stores.ready();
  stores.start();
  return { log, stores, schedule, days, reports, problems };
}

/** A point of each series each hour for `hours`, and one that is 50 hours late. */
function pointsLog(hours: number): LogBuilder {
  const builder = new LogBuilder();
  builder.metricOf = (series) => metricId('acme', `metric ${series}`);
  builder.bare(RECORD.open, 0, START_MS, { partition: 0 });
  for (let i = 0; i < hours; i++) {
    const timeMs = START_MS + i * 3_600_000;
    const points = SERIES.map((series) => ({ series, timeMs, value: i + series / 8 }));
    if (i === 60) points.push({ series: 0, timeMs: timeMs - 50 * 3_600_000 + 1, value: -1 });
    builder.block(0, timeMs, [{ client: 0, sequence: i, points }], { partition: 0 });
  }
  return builder;
}

function tagsRecord(series: readonly number[]): Buffer {
  const writer = new TagRecordWriter();
  for (const one of series) {
    const name = { tenant: 'acme', metric: `metric ${one}`, seriesClass: classOf(one), tags: [`series:${one}`] };
    writer.addSeries(seriesIdOf(one), name, DAY);
  }
  return writer.take();
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await setTimeout(20);
}

describe('closed days', () => {
  test('are archived with the names of the newest snapshot of the tag store, each generation once', async () => {
    const { log, stores, schedule, days, reports, problems } = await start();
    const points = await log.writer('points', 0);
    const tags = await log.writer('tags', 0);
    await tags.append(0, tagsRecord([0, 1]));
    const { records } = pointsLog(75);
    for (const { offset, value } of records) await points.append(offset, value);
    await until(async () => (await stores.call('points', 'status', { partition: 0 })).closedDays[0]?.cuts.length === 2);
    days.start();
    // Without a snapshot of the tag store there are no names.
    await until(async () => problems.length > 0);
    expect(problems[0]).toMatch(/^archive of points\/0: no snapshot of tags\/0, which has the names.*there is none$/);
    // With one that lacks a name it waits for the next.
    await schedule.make({ kind: 'tags', partition: 0 });
    await setTimeout(300);
    expect(reports).toEqual([]);
    await tags.append(1, tagsRecord([2]));
    await schedule.make({ kind: 'tags', partition: 0 });
    await until(async () => reports.length >= 3);
    expect(reports).toEqual([
      'archived a day of points/0: 2024-10-04 50, 72 points',
      'archived a day of points/0: 2024-10-04 74, 1 points',
      'archived a day of points/0: 2024-10-05 74, 72 points',
    ]);
    await setTimeout(300);
    expect(reports.length).toBe(3);
    expect(new Set(problems).size).toBe(1);
    expect(await readdir(folder)).not.toContain('archiving');

    const objects = await openLocalObjects(join(folder, 'objects'));
    const key = 'days/points-0/2024-10-04/0000000000000050.json';
    const { segments, namedSeries } = decodeDay((await objects.get(key)).bytes, key);
    expect([segments.map((one) => one.points), namedSeries]).toEqual([[72], 3]);
    const names = await NamesObject.open(
      objectSource(objects, await objects.head('days/points-0/2024-10-04/0000000000000074.names')),
    );
    const found: string[] = [];
    for await (const { name } of names.read()) found.push(`${name.tenant} ${name.metric} ${name.tags}`);
    expect(found).toEqual(['acme metric 0 series:0']);
    await objects.close();
  });

  test('are deleted when their retention has ended', async () => {
    const { log, stores, schedule, days, reports } = await start({ retentionMs: DAY_MS });
    await (await log.writer('tags', 0)).append(0, tagsRecord(SERIES));
    const points = await log.writer('points', 0);
    for (const { offset, value } of pointsLog(75).records) await points.append(offset, value);
    await schedule.make({ kind: 'tags', partition: 0 });
    await until(async () => (await stores.call('points', 'status', { partition: 0 })).closedDays.length === 2);
    days.start();
    await until(async () => reports.length >= 4);
    await setTimeout(300);
    expect(reports.slice(3)).toEqual(['deleted archived days of points/0: 2024-10-04']);
    const objects = openLocalObjects(join(folder, 'objects'));
    expect((await objects.list('days/points-0/2024-10-04/')).objects).toEqual([]);
    expect((await objects.list('days/points-0/2024-10-05/')).objects).toHaveLength(3);
    await objects.close();
  });

  test('of a platform that stops meanwhile are archived by the next one', async () => {
    const first = await start();
    const points = await first.log.writer('points', 0);
    await (await first.log.writer('tags', 0)).append(0, tagsRecord(SERIES));
    for (const { offset, value } of pointsLog(75).records) await points.append(offset, value);
    await first.schedule.make({ kind: 'tags', partition: 0 });
    await until(async () => (await first.stores.call('points', 'status', { partition: 0 })).closedDays.length === 2);
    first.days.start();
    await setTimeout(100);
    for (const end of ends.splice(0).reverse()) await end();
    expect(first.problems).toEqual([]);
    const second = await start();
    second.days.start();
    await until(async () => first.reports.length + second.reports.length >= 3);
    await setTimeout(200);
    expect(first.reports.length + second.reports.length).toBe(3);
    expect(second.problems).toEqual([]);
  });
});
