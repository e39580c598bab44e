import { expect, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { SHOWN_CLIENTS, shownClients } from './partition-status.ts';

test('a status has a bounded number of client sessions of each tenant, those with late points and the newest', () => {
  const of = (tenant: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ key: `${n}`, tenant, latePoints: n === 3 ? 1 : 0, seenAtMs: n }));
  const shown = shownClients([...of('few', 5), ...of('many', SHOWN_CLIENTS + 10)]);
  const keys = (tenant: string) => shown.filter((client) => client.tenant === tenant).map(({ key }) => key);
  expect(keys('few')).toEqual(['0', '1', '2', '3', '4']);
  expect(keys('many').length).toBe(SHOWN_CLIENTS);
  expect(keys('many').slice(0, 2)).toEqual(['3', `${SHOWN_CLIENTS + 9}`]);
  expect(keys('many')).not.toContain('4');
});

test('a status says how many bytes points take, in the head and then as pages', async () => {
  const keyValue = new MemoryKeyValue();
  const limits = DEFAULT_POINT_STORE_LIMITS;
  const partition = await PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 3_000 });
  const memory = () => Object.fromEntries(partition.status.memory.map(({ part, bytes }) => [part, bytes]));
  expect(memory()).toMatchObject({ head: 0, deals: 0, recent_pages: 0, dictionaries: 0, series_sets: 0 });

  const builder = new LogBuilder();
  partition.apply(builder.bare(RECORD.open, 0, 0));
  const points = [0, 1, 2].flatMap((series) => [1, 2, 3].map((value) => ({ series, timeMs: 1000 * value, value })));
  const sketches = [1, 2].map((value) => ({ series: 3, timeMs: 1000 * value, value }));
  partition.apply(builder.block(0, 0, [{ client: 0, sequence: 0, points: [...points, ...sketches] }]));
  const { head, deals, recent_pages, series, dictionaries } = memory();
  expect(head).toBeGreaterThan(8 * points.length);
  expect(Math.min(deals, series, dictionaries)).toBeGreaterThan(0);
  expect(recent_pages).toBe(0);

  await partition.commit();
  expect(memory().head).toBe(0);
  expect(memory().recent_pages).toBeGreaterThan(0);
});
