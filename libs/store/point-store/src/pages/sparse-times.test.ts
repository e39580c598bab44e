import { expect, test } from '@jest/globals';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import { Page, TimesRecord } from '@tidemark/page';
import { LogBuilder, seriesIdOf } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { MemoryKeyValue, SeededRandom } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { bucketOfKey, dealOfKey, familyOfKey, PREFIX, timesKey } from '../keys.ts';

const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 20_000, bucketMs: 100_000 };
const HOSTS = 2048;
/** Metrics that one host of so many has. Two metrics behind them are of all hosts. */
const SPARSE = 8;
const SHARE = 8;
const METRICS = 16;
const SEED = 7;

async function stored(): Promise<MemoryKeyValue> {
  const random = new SeededRandom(SEED);
  const has = Array.from({ length: HOSTS }, () =>
    Array.from({ length: SPARSE + 2 }, (_, metric) => metric >= SPARSE || random.next() * SHARE < 1),
  );
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, 0);
  for (let round = 0; round < 15; round++) {
    const points = has.flatMap((own, host) => {
      const timeMs = 1000 * round + ((host * 7919) % 900) + Math.floor(random.next() * 11);
      return own.flatMap((is, metric) => (is ? [{ series: 4 * (host * METRICS + metric), timeMs, value: round }] : []));
    });
    const series = points.map((one) => ({
      seriesId: seriesIdOf(one.series),
      metricId: hash128(Buffer.from(`m${(one.series / 4) % METRICS}`)),
      seriesClass: SERIES_CLASS.reading,
      intervalMs: undefined,
    }));
    const definitions = round === 0 ? [{ dictionary: 0, firstRef: 0, series }] : [];
    builder.block(0, 1000 * round, [{ client: 0, sequence: round, points }], { definitions });
  }
  const keyValue = new MemoryKeyValue();
  const partition = await PointPartition.open({ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000 });
  for (const record of builder.records) partition.apply(record);
  await partition.commit();
  return keyValue;
}

test('pages of sparse metrics read few times of other series, and metrics of all hosts share their times', async () => {
  const { content } = await stored();
  const rows = new Map<number, { pages: number; readBytes: number; neededBytes: number; lacking: number }>();
  for (const [hex, value] of content) {
    const key = Buffer.from(hex, 'hex');
    if (key[0] !== PREFIX.page) continue;
    const page = new Page(value, (number) => {
      const record = content.get(timesKey(bucketOfKey(key), dealOfKey(key), number).toString('hex'));
      return record && new TimesRecord(record);
    });
    const row = rows.get(familyOfKey(key)) ?? { pages: 0, readBytes: 0, neededBytes: 0, lacking: 0 };
    rows.set(familyOfKey(key), row);
    row.pages++;
    for (const { bytes } of page.records) row.readBytes += bytes.length;
    for (let timeClass = 0; timeClass < page.times.size; timeClass++) {
      const column = page.times.at(timeClass);
      if (!('record' in column && 'at' in column && 'end' in column)) row.lacking++;
      else row.neededBytes += Number(column.end) - Number(column.at);
    }
  }
  expect(rows.size).toBe(SPARSE + 3);
  for (const { pages, readBytes, neededBytes } of rows.values()) {
    // A page reads one record of any size, and others of which it needs much.
    expect(readBytes).toBeLessThan(4 * neededBytes + 8192 * pages);
  }
  const largest = [...rows.values()].find(
    ({ pages }) => pages === Math.max(...[...rows.values()].map((one) => one.pages)),
  );
  expect(largest?.lacking).toBe(0);
});
