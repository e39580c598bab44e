import { beforeAll, describe, expect, test } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import { SeededRandom } from '@tidemark/simulation';
import { type PagesPlan, planPages } from './read-pages.ts';
import { DAY_START_MS, encodeOne, numberedId, SegmentBytes } from './segment.fixture.ts';
import { DEFAULT_SEGMENT_LIMITS, Segment, type SegmentLimits } from './segment.ts';
import type { SegmentSeries } from './segment-series.ts';

const GROUPS = 16;
const SERIES_OF_GROUP = 256;
const ALL_TIMES = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

/** One metric of `GROUPS` groups with a page each, whose values do not compress. */
function groupedMetric(): SegmentSeries[] {
  const random = new SeededRandom(1);
  const timesMs = Float64Array.from({ length: 8 }, (_, i) => DAY_START_MS + i * 60_000);
  return Array.from({ length: GROUPS * SERIES_OF_GROUP }, (_, i): SegmentSeries => {
    const parts = [{ mapEpoch: 1, timesMs, values: timesMs.map(() => random.next()) }];
    return { tenant: 't', metric: 'm', seriesClass: SERIES_CLASS.reading, id: numberedId(i), parts };
  });
}

describe('of groups with others between them', () => {
  const ids = Array.from({ length: GROUPS / 2 }, (_, i) => numberedId(2 * i * SERIES_OF_GROUP + 5));

  let bytes: Buffer;

  beforeAll(async () => {
    bytes = await encodeOne(groupedMetric());
  });

  async function plansWith(limits: Partial<SegmentLimits>): Promise<PagesPlan[]> {
    const segment = await Segment.open(new SegmentBytes(bytes), { ...DEFAULT_SEGMENT_LIMITS, ...limits });
    const plans: PagesPlan[] = [];
    for await (const plan of planPages(segment, { tenant: 't', metric: 'm', ids, ...ALL_TIMES })) plans.push(plan);
    expect(plans.flatMap(({ groups }) => groups).length).toBe(ids.length);
    return plans;
  }

  test('no plan has more bytes than planBytes, with the gaps that are read', async () => {
    const planBytes = 150_000;
    const plans = await plansWith({ planBytes });
    for (const plan of plans) expect(plan.bytes).toBeLessThanOrEqual(planBytes);
    // Several groups fit into a plan, also with what lies between them.
    expect(plans.length).toBeLessThan(ids.length);
  });

  test('all are one plan where its bytes and those of its pages are planBytes', async () => {
    const [whole] = await plansWith({});
    const ram = 1024 * ids.length;
    expect((await plansWith({ planBytes: whole.bytes + ram })).length).toBe(1);
    expect((await plansWith({ planBytes: whole.bytes + ram - 1 })).length).toBe(2);
  });
});
