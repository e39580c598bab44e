import { crc32c } from '@tidemark/bytes';
import { DAY_MS } from '@tidemark/model';
import type { PageWriter } from '@tidemark/page';
import { assert, TidemarkError, WorkSlice } from '@tidemark/ports';
import { ChunkedOutput } from './chunked-output.ts';
import { GroupEncoder, type WrittenPage } from './group-encoder.ts';
import { IndexWriter } from './index-writer.ts';
import { compareNames, type MetricKey } from './metric-key.ts';
import { addGroup, addPage, noCounts } from './segment-counts.ts';
import { encodeFooter } from './segment-footer.ts';
import { GROUP_PAGES_LIMIT, type SegmentHead, TOP_INDEX_BYTES_LIMIT } from './segment-format.ts';
import { encodeHeader } from './segment-head.ts';
import type { SegmentInput, SeriesGroup } from './segment-input.ts';
import { STRIPE_BYTES, Stripe, type WrittenGroup } from './stripe.ts';

/** Bytes of a segment after which it gets no further group, by default. */
export const SEGMENT_BYTES = 256 * 2 ** 20;
/** Room for the blocks of the groups that wait. */
const TOP_INDEX_BYTES = TOP_INDEX_BYTES_LIMIT / 2;

export interface SegmentWriterOptions {
  readonly head: SegmentHead;
  /** Bytes after which the segment gets no further group. Default: `SEGMENT_BYTES`. */
  readonly segmentBytes?: number;
  /** Yields to other work between pages. Default: all is one slice, for a caller that owns its thread. */
  readonly slice?: WorkSlice;
}

/** Cost of writing a point, in units of the cost of a fold. */
const WRITE_COST = 1 / 8;

/**
 * Writes one segment: the series that `input` has left, up to its size. If `input` is not done then, the next segment of the
 * day continues with it. The same series give the same bytes. `pages` is empty at each yield: others may write pages with it
 * then. In memory are one group of series, the pages of a stripe, the index, and 16 MiB of times. Errors: those of the input;
 * `resource_exhausted` for series with more points than a segment can have of a group.
 */
export async function* writeSegment(
  input: SegmentInput,
  pages: PageWriter,
  options: SegmentWriterOptions,
): AsyncGenerator<Uint8Array> {
  const { head, segmentBytes = SEGMENT_BYTES } = options;
  const slice = options.slice ?? new WorkSlice(undefined, undefined);
  assert(!(await input.isDone()), 'a segment has series');
  const dayStartMs = head.day * DAY_MS;
  const out = new ChunkedOutput();
  const index = new IndexWriter(dayStartMs);
  const encoder = new GroupEncoder(pages, dayStartMs, head);
  const stripe = new Stripe();
  const counts = noCounts();
  out.append(encodeHeader(head));
  let before: MetricKey | undefined;
  const isFull = () =>
    out.position + stripe.sizeBytes + index.sizeBytes >= segmentBytes || index.topIndexBytes >= TOP_INDEX_BYTES;
  while (!(await input.isDone()) && (counts.groups === 0 || !isFull())) {
    const group = await input.group();
    if (group === undefined) break;
    if (before !== undefined && before !== group.key) yield* flush(stripe, out, index);
    const written = await encodeGroup(encoder, group, counts.series, slice);
    addGroup(counts, written.ids.length, before === undefined || compareNames(before, group.key) !== 0);
    for (const page of written.pages) addPage(counts, page);
    before = group.key;
    stripe.add(written);
    if (stripe.sizeBytes >= STRIPE_BYTES) yield* flush(stripe, out, index);
  }
  yield* flush(stripe, out, index);
  const indexAt = out.position;
  const { blocks, topIndex } = index.finish();
  for (const block of blocks) {
    out.append(block);
    yield* out.chunks();
  }
  const topIndexAt = out.append(topIndex);
  const place = { topIndexBytes: topIndex.length, topIndexCrc: crc32c(topIndex), blocks: blocks.length };
  out.append(encodeFooter({ head, counts, indexAt, topIndexAt, ...place }));
  yield out.rest();
}

function* flush(stripe: Stripe, out: ChunkedOutput, index: IndexWriter): Generator<Buffer> {
  for (const group of yield* stripe.flush(out)) index.add(group);
}

async function encodeGroup(
  encoder: GroupEncoder,
  { key, series, points: given }: SeriesGroup,
  firstSeries: number,
  slice: WorkSlice,
): Promise<WrittenGroup> {
  const pages: WrittenPage[] = [];
  let points = 0;
  for (const page of encoder.encode(series, firstSeries)) {
    if (pages.length === GROUP_PAGES_LIMIT) throw tooManyPages(series);
    pages.push(page);
    points += page.points;
    if (slice.spend(page.points * WRITE_COST)) await slice.next();
  }
  // Pages are found by their times: points whose times change meanwhile would be in none, or in two.
  assert(points === given, `${points} points of ${given} were written of a group`);
  return { ...key, firstSeries, ids: series.map(({ id }) => Buffer.from(id)), pages };
}

function tooManyPages(series: SeriesGroup['series']): TidemarkError {
  const [{ tenant, metric }] = series;
  const text = `${series.length} series of metric ${metric} need more than ${GROUP_PAGES_LIMIT} pages on one day`;
  return new TidemarkError('resource_exhausted', `${text} (limit: ${GROUP_PAGES_LIMIT}); keep the day in the store`, {
    tenant,
    metric,
    limit: GROUP_PAGES_LIMIT,
  });
}
