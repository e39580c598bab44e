import { DAY_MS } from '@tidemark/model';
import { planPages, readPages, Segment, verifySegment } from '@tidemark/segment';
import { resealed } from '../../../libs/data/segment/src/sealed-segment.fixture.ts';
import { encodeOne, SegmentBytes } from '../../../libs/data/segment/src/segment.fixture.ts';
import { smallSeries } from '../../../libs/data/segment/src/small-segment.fixture.ts';
import { type FuzzTarget, holds, parsedLater } from '../target.ts';
import { checkPage } from './data-formats.ts';

/** What a query may read: an input of some KiB could name each of its pages many times. */
const LIMITS = { gapBytes: 64, readBytes: 2 ** 20, parallelReads: 2, planBytes: 64 * 1024, groupBytes: 2 ** 20 };

async function readSegment(bytes: Buffer): Promise<void> {
  const segment = await Segment.open(new SegmentBytes(bytes), LIMITS);
  const dayMs = segment.head.day * DAY_MS;
  const metrics = new Map<string, readonly [tenant: string, metric: string]>();
  for await (const { tenant, metric, pages } of segment.allGroups()) {
    for (const { offset, length, minTimeMs, maxTimeMs } of pages) {
      holds(offset >= 0 && offset + length <= bytes.length, () => 'a page beyond the segment');
      holds(minTimeMs >= dayMs && maxTimeMs < dayMs + DAY_MS, () => 'a page of another day');
    }
    const names = [Buffer.from(tenant).toString(), Buffer.from(metric).toString()] as const;
    metrics.set(names.join('\n'), names);
  }
  await parsedLater(['data_loss'], () => verifySegment(segment));
  for (const [tenant, metric] of metrics.values()) {
    for await (const plan of planPages(segment, { tenant, metric, fromMs: dayMs, toMs: dayMs + DAY_MS })) {
      for (const { group, ids, pages } of await readPages(segment, plan)) {
        holds(ids.length === group.series, () => `${ids.length} ids of ${group.series} series`);
        for (const page of pages) checkPage(page);
      }
    }
  }
}

/** Segments, also with right checksums. */
export const SEGMENT: FuzzTarget = {
  name: 'segment',
  maxGrownBytes: 64 * 1024,
  seeds: async () => [await encodeOne(smallSeries()), await encodeOne(smallSeries().slice(0, 1))],
  run: async (input) => {
    for (const bytes of [input, resealed(input)]) {
      await parsedLater(['data_loss', 'failed_precondition', 'resource_exhausted'], () => readSegment(bytes));
    }
  },
};
