import { beforeAll, describe, expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { PAGE_RECORDS_LIMIT } from '@tidemark/page';
import { below } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { DAY_START_MS, decodeAll, encodeOne, numberedId, pointsOf, SegmentBytes } from './segment.fixture.ts';
import { Segment } from './segment.ts';
import type { PagePlace } from './segment-group.ts';
import { HEADER_BYTES } from './segment-head.ts';
import type { SegmentSeries } from './segment-series.ts';
import { verifySegment } from './verify-segment.ts';

const seed = testSeed();
const SERIES = 256;
const POINTS = 510;
/** Series of a further group, at the times of the last ones of the first group. */
const FOLLOWERS = 20;
const FLIPS = 100;

/** A group of one page whose times take more records than a page can have, and one of few series. */
function irregularSeries(): SegmentSeries[] {
  const random = new SeededRandom(1);
  const times = Array.from({ length: SERIES }, () =>
    Float64Array.from({ length: POINTS }, () => DAY_START_MS + below(random, DAY_MS)).sort(),
  );
  return [...times, ...times.slice(-FOLLOWERS)].map((timesMs, i) => {
    const parts = [{ mapEpoch: 1, timesMs, values: timesMs.map(() => 7) }];
    return { tenant: 't', metric: 'm', seriesClass: SERIES_CLASS.reading, id: numberedId(i), parts };
  });
}

describe(`a segment of a group with more times than its page can share (TIDEMARK_TEST_SEED=${seed})`, () => {
  let series: SegmentSeries[];
  let whole: Buffer;

  beforeAll(async () => {
    series = irregularSeries();
    whole = await encodeOne(series);
  });

  async function pagesOf(bytes: Uint8Array): Promise<PagePlace[]> {
    const pages: PagePlace[] = [];
    for await (const group of (await Segment.open(new SegmentBytes(bytes))).allGroups()) pages.push(...group.pages);
    return pages;
  }

  test('has its points; a record is written for the first page that names it', async () => {
    expect(await decodeAll(new SegmentBytes(whole))).toEqual(pointsOf(series));
    const [page, follower] = await pagesOf(whole);
    expect(page.records).toHaveLength(PAGE_RECORDS_LIMIT);
    expect(follower.records.length).toBeGreaterThan(0);
    for (const record of follower.records) expect(page.records).not.toContainEqual(record);
    expect(follower.records[0].offset).toBe(page.offset + page.length);
  });

  test('has no times record that no page names, so that a check of all of it finds a flipped bit anywhere', async () => {
    const alone = await encodeOne(series.slice(0, SERIES));
    await verifySegment(await Segment.open(new SegmentBytes(alone)));
    const [page, ...others] = await pagesOf(alone);
    expect(others).toEqual([]);
    expect(page.records).toHaveLength(PAGE_RECORDS_LIMIT);
    const named = [page, ...page.records].reduce((sum, { length }) => sum + length, (SERIES - 2) * 16);
    expect(HEADER_BYTES + named).toBe(page.offset + page.length);
    const random = new SeededRandom(seed).fork('flips');
    const stride = Math.floor(alone.length / FLIPS);
    for (let flip = 0; flip < FLIPS; flip++) {
      const bytes = Buffer.from(alone);
      bytes[flip * stride + below(random, stride)] ^= 1 << below(random, 8);
      const check = async () => verifySegment(await Segment.open(new SegmentBytes(bytes)));
      await expect(check()).rejects.toMatchObject({ code: 'data_loss' });
    }
  });
});
