import { beforeAll, describe, expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { DAY_MS } from '@tidemark/model';
import { IndexWriter } from './index-writer.ts';
import { planPages } from './read-pages.ts';
import { DAY_START_MS, decodeAll, encodeOne, HEAD, pointsOf, SegmentBytes } from './segment.fixture.ts';
import { DEFAULT_SEGMENT_LIMITS, Segment } from './segment.ts';
import { decodeFooter, encodeFooter, FOOTER_BYTES, type SegmentFooter } from './segment-footer.ts';
import type { PagePlace, SegmentGroup } from './segment-group.ts';
import { smallSeries } from './small-segment.fixture.ts';
import { verifySegment } from './verify-segment.ts';

let whole: Buffer;
let footer: SegmentFooter;
let groups: SegmentGroup[];

beforeAll(async () => {
  whole = await encodeOne(smallSeries());
  footer = decodeFooter(whole.subarray(-FOOTER_BYTES), whole.length);
  groups = [];
  for await (const group of (await Segment.open(new SegmentBytes(whole))).allGroups()) groups.push(group);
});

/** The pages of the segment with another index and footer, whose checksums are right. */
function segmentOf(changed: readonly SegmentGroup[], change: Partial<SegmentFooter> = {}): Buffer {
  const index = new IndexWriter(DAY_START_MS);
  for (const group of changed) index.add(group);
  const { blocks, topIndex } = index.finish();
  const { indexAt } = footer;
  const topIndexAt = indexAt + blocks.reduce((sum, { length }) => sum + length, 0);
  const place = { topIndexAt, topIndexBytes: topIndex.length, topIndexCrc: crc32c(topIndex), blocks: blocks.length };
  return Buffer.concat([
    whole.subarray(0, indexAt),
    ...blocks,
    topIndex,
    encodeFooter({ ...footer, ...place, ...change }),
  ]);
}

function withGroup(at: number, change: Partial<SegmentGroup>): Buffer {
  return segmentOf(groups.map((group, i) => (i === at ? { ...group, ...change } : group)));
}

function withPage(change: Partial<PagePlace>): Buffer {
  const [first, ...others] = groups[0].pages;
  return withGroup(0, { pages: [{ ...first, ...change }, ...others] });
}

test('what the other cases begin with is the segment', async () => {
  expect(segmentOf(groups).equals(whole)).toBe(true);
});

describe('an index with right checksums is data_loss, with what is wrong and where,', () => {
  const CASES: readonly (readonly [title: string, make: () => Buffer, message: RegExp])[] = [
    ['with a page before the header ends', () => withPage({ offset: 3 }), /bytes at 3 \(limit: 109 to/],
    ['with a page in the index', () => withPage({ offset: footer.indexAt - 10 }), /bytes at \d+ \(limit: 109 to/],
    ['with a page that is too long', () => withPage({ length: 2 ** 30 }), /1073741824 bytes of a page \(limit/],
    ['with an empty page', () => withPage({ length: 0 }), /0 bytes of a page \(limit/],
    ['with a page of another day', () => withPage({ maxTimeMs: DAY_START_MS + DAY_MS }), /times of another day/],
    ['with more slots than series', () => withPage({ slots: 5 }), /5 slots of a page \(limit: 1 to 4\)/],
    ['with too many points', () => withPage({ points: 3 * 4096 + 1 }), /12289 points of a page/],
    ['with another number of points', () => withPage({ points: 1 }), /a page of \d+ points, not 1/],
    ['with another number of slots', () => withPage({ slots: 1, points: 9 }), /a page of 3 slots, not 1/],
    ['with other times', () => withPage({ minTimeMs: DAY_START_MS + 1 }), /a page of times/],
    ['with another checksum', () => withPage({ crc32c: 7 }), /a page of another checksum than the index says/],
    ['without the times of a page', () => withPage({ records: [] }), /times in record 0, which is not there/],
    ['with 5 records', () => withPage({ records: Array(5).fill({ offset: 200, length: 9 }) }), /5 times records/],
    [
      'with a record that is too long',
      () => withPage({ records: [{ offset: 200, length: 2 ** 20 }] }),
      /1048576 bytes/,
    ],
    ['with a record that is none', () => withPage({ records: [{ offset: 200, length: 9 }] }), /a times record: /],
    ['without pages', () => withGroup(0, { pages: [] }), /0 pages of a group/],
    ['without series', () => withGroup(3, { series: 0 }), /0 series of a group/],
    ['with 257 series', () => withGroup(0, { series: 257 }), /257 series of a group \(limit: 1 to 256\)/],
    ['with ids that descend', () => withGroup(0, { lastId: Buffer.alloc(16) }), /ids of a group descend/],
    [
      'with ids that are others',
      () => withGroup(0, { ids: { offset: 120, length: 32, crc32c: 1 } }),
      /checksum of ids/,
    ],
    ['with groups that descend', () => segmentOf([groups[1], groups[0]]), /groups descend/],
    ['with a group twice', () => segmentOf([groups[0], groups[0]]), /groups descend/],
    ['with an unknown class', () => withGroup(1, { seriesClass: 9 as 1 }), /unknown class 9 of a series/],
    ['with pages of other series', () => withGroup(0, { firstSeries: 1 }), /a page of series 0 \(limit: 1 to 4/],
    ['with other offsets', () => segmentOf(groups, { head: { ...HEAD, toOffset: 5000 } }), /a page of offsets 1000 to/],
    ['of another day', () => segmentOf(groups, { head: { ...HEAD, day: HEAD.day + 1 } }), /a page of times/],
    ['of more blocks', () => segmentOf(groups, { blocks: 2 }), /1 index blocks, the footer says 2/],
    ['without blocks', () => segmentOf(groups, { blocks: 0 }), /no index block/],
    ['that begins elsewhere', () => segmentOf(groups, { indexAt: footer.indexAt - 1 }), /index blocks end at/],
    ['before the pages', () => segmentOf(groups, { indexAt: 5 }), /an index at 5 to/],
    ['longer than the segment', () => segmentOf(groups, { topIndexBytes: 2 ** 31 }), /an index at/],
  ];
  test.each(CASES)('%s', async (_, make, message) => {
    await expect(decodeAll(new SegmentBytes(make()))).rejects.toMatchObject({
      code: 'data_loss',
      message: expect.stringMatching(message),
      detail: { offset: expect.any(Number) },
    });
  });
});

test.each([
  [
    'with other counts',
    () => segmentOf(groups, { counts: { ...footer.counts, points: 3 } }),
    /points by its pages, the f/,
  ],
  ['that begins with another series', () => segmentOf(groups.slice(1)), /a group that begins with series 4, not 0/],
  ['with a header of another one', () => Buffer.from(whole).fill(0, 12, 16), /a header that differs from the footer/],
])('a check of a whole segment %s is data_loss', async (_, make, message) => {
  const segment = await Segment.open(new SegmentBytes(make()));
  await expect(verifySegment(segment)).rejects.toMatchObject({
    code: 'data_loss',
    message: expect.stringMatching(message),
  });
});

describe('the limits of a reader', () => {
  const metricA = { tenant: 'default', metric: 'a', fromMs: 0, toMs: Number.POSITIVE_INFINITY };

  test('refuse a group that takes more than groupBytes before it is read', async () => {
    const source = new SegmentBytes(whole);
    const segment = await Segment.open(source, { ...DEFAULT_SEGMENT_LIMITS, groupBytes: 100, planBytes: 1 });
    const reads = source.reads.length;
    await expect(planPages(segment, metricA).next()).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringMatching(/^pages of metric a take \d+ bytes \(limit: 100\); ask for a shorter time$/),
      detail: { metric: 'a', limit: 100 },
    });
    expect(source.reads).toHaveLength(reads + 1);
  });

  test('make plans of planBytes, whose reads have at most gapBytes between ranges', async () => {
    const limits = { gapBytes: 0, readBytes: 300, parallelReads: 1, planBytes: 1, groupBytes: 10_000 };
    const source = new SegmentBytes(whole);
    const segment = await Segment.open(source, limits);
    const plans = [];
    for await (const plan of planPages(segment, metricA)) plans.push(plan);
    expect(plans.map((plan) => plan.groups.map(({ group }) => group.seriesClass))).toEqual([[1], [2]]);
    expect(plans.every(({ reads }) => reads.every(({ length }) => length <= 300))).toBe(true);
    expect(await decodeAll(source, limits)).toEqual(pointsOf(smallSeries()));
  });

  test('refuse objects that are too small or too large', async () => {
    const readRange = async () => whole;
    for (const sizeBytes of [0, 313, 2 ** 41, Number.NaN]) {
      await expect(Segment.open({ sizeBytes, readRange })).rejects.toMatchObject({ code: 'data_loss' });
    }
  });
});
