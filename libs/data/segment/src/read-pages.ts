import { compareBytes } from '@tidemark/bytes';
import { DAY_MS, ID_BYTES } from '@tidemark/model';
import { Page, TimesRecord } from '@tidemark/page';
import { TidemarkError, WorkSlice } from '@tidemark/ports';
import { JoinedBytes } from './joined-bytes.ts';
import { checkCrc, joinRanges, ReadBytes } from './read-ranges.ts';
import type { GroupQuery, Segment } from './segment.ts';
import { decodedAt, segmentLoss } from './segment-error.ts';
import type { PagePlace, SegmentGroup, SegmentRange } from './segment-group.ts';
import { firstAtOrAfter } from './sorted-ids.ts';

/** Bytes of RAM of a page that was read, in addition to its bytes: more than a page with few times takes. */
const PAGE_RAM_BYTES = 1024;
/** Cost of reading a byte, in units of the cost of a fold. */
const BYTE_COST = 1 / 128;

/** Which points are asked for: those of the groups of a query in [fromMs, toMs). */
export interface PagesQuery extends GroupQuery {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A group, and those of its pages that have times in the range. */
export interface PlannedGroup {
  readonly group: SegmentGroup;
  readonly pages: readonly PagePlace[];
}

/** What is read together: nothing of it was read yet. */
export interface PagesPlan {
  readonly groups: readonly PlannedGroup[];
  readonly reads: readonly SegmentRange[];
  /** Bytes that the reads have, and points of the pages, also of series that were not asked for. */
  readonly bytes: number;
  readonly points: number;
}

/** Pages of a group that were read. They are views of the reads that had them. */
export interface ReadGroup {
  readonly group: SegmentGroup;
  /** Of each series: that of number `group.firstSeries + i` is at i. */
  readonly ids: readonly Uint8Array[];
  /** Of each series in the order of map epochs, then of time. Their series are numbers of the segment. */
  readonly pages: readonly Page[];
}

/**
 * Plans the reads of a query, in plans of consecutive groups that together take so much memory as the limits of the segment allow.
 * Throws `resource_exhausted` for a group that alone takes more.
 */
export function planPages(segment: Segment, query: PagesQuery): AsyncGenerator<PagesPlan> {
  return plansOf(segment, segment.groups(query), query);
}

/** Plans the reads of groups, as `planPages` does. */
export async function* plansOf(
  segment: Segment,
  wanted: AsyncIterable<SegmentGroup>,
  { fromMs, toMs }: Pick<PagesQuery, 'fromMs' | 'toMs'>,
): AsyncGenerator<PagesPlan> {
  const { planBytes, gapBytes } = segment.limits;
  let groups: PlannedGroup[] = [];
  let read = new JoinedBytes(gapBytes);
  let pagesRam = 0;
  for await (const group of wanted) {
    const pages = group.pages.filter(({ minTimeMs, maxTimeMs }) => maxTimeMs >= fromMs && minTimeMs < toMs);
    if (pages.length === 0) continue;
    const planned = { group, pages };
    const ranges = rangesOf(planned);
    const ownRam = PAGE_RAM_BYTES * pages.length;
    read.addAll(ranges);
    if (groups.length > 0 && read.sizeBytes + pagesRam + ownRam > planBytes) {
      yield planOf(segment, groups);
      groups = [];
      read = new JoinedBytes(gapBytes);
      read.addAll(ranges);
      pagesRam = 0;
    }
    groups.push(planned);
    pagesRam += ownRam;
  }
  if (groups.length > 0) yield planOf(segment, groups);
}

function planOf({ limits }: Segment, groups: readonly PlannedGroup[]): PagesPlan {
  const reads = joinRanges(groups.flatMap(rangesOf), limits);
  const bytes = reads.reduce((sum, { length }) => sum + length, 0);
  if (groups.length === 1 && bytes > limits.groupBytes) {
    const metric = Buffer.from(groups[0].group.metric).toString();
    const text = `pages of metric ${metric} take ${bytes} bytes (limit: ${limits.groupBytes}); ask for a shorter time`;
    throw new TidemarkError('resource_exhausted', text, { metric, bytes, limit: limits.groupBytes });
  }
  const points = groups.reduce((sum, { pages }) => pages.reduce((all, page) => all + page.points, sum), 0);
  return { groups, reads, bytes, points };
}

function rangesOf({ group: { ids }, pages }: PlannedGroup): SegmentRange[] {
  const ranges: SegmentRange[] = pages.flatMap((page) => [page, ...page.records]);
  return ids === undefined ? ranges : [ids, ...ranges];
}

/**
 * Reads what was planned, and checks it, in slices; no value is decoded. Errors: those of the source, `data_loss` for pages, times or ids
 * that are not those of the index.
 */
export async function readPages(
  segment: Segment,
  { groups, reads }: PagesPlan,
  slice = new WorkSlice(undefined, undefined),
): Promise<ReadGroup[]> {
  const bytes = await ReadBytes.of(segment.source, reads, segment.limits);
  slice.begin();
  const records = new Map<number, TimesRecord>();
  const found: ReadGroup[] = [];
  for (const { group, pages: places } of groups) {
    const pages: Page[] = [];
    for (const place of places) {
      pages.push(pageOf(segment, group, place, bytes, records, pages.at(-1)?.series));
      if (slice.spend(place.length * BYTE_COST)) await slice.next();
    }
    found.push({ group, ids: idsOf(group, bytes), pages });
  }
  return found;
}

/** The numbers, in a group that was read, of those of the ids that it has; ids ascend. */
export function numbersOf({ group, ids }: ReadGroup, wanted: readonly Uint8Array[]): number[] {
  const numbers: number[] = [];
  ids.forEach((id, i) => {
    const at = firstAtOrAfter(wanted, id);
    if (at < wanted.length && compareBytes(wanted[at], id) === 0) numbers.push(group.firstSeries + i);
  });
  return numbers;
}

function idsOf({ series, firstId, lastId, ids: range }: SegmentGroup, read: ReadBytes): Uint8Array[] {
  if (series === 1) return [firstId];
  if (range === undefined) return [firstId, lastId];
  const bytes = read.at(range);
  checkCrc(bytes, 'ids of series', range);
  const ids = [firstId];
  for (let at = 0; at < bytes.length; at += ID_BYTES) ids.push(bytes.subarray(at, at + ID_BYTES));
  ids.push(lastId);
  const descending = ids.findIndex((id, i) => i > 0 && compareBytes(ids[i - 1], id) >= 0);
  if (descending >= 0) {
    throw segmentLoss(`ids of series descend at ${descending}`, { offset: range.offset, length: range.length });
  }
  return ids;
}

function pageOf(
  segment: Segment,
  group: SegmentGroup,
  place: PagePlace,
  read: ReadBytes,
  records: Map<number, TimesRecord>,
  likely: Uint32Array | undefined,
): Page {
  const { offset, length } = place;
  const own = place.records.map((range) => recordOf(range, read, records));
  const bytes = read.at(place);
  const page = decodedAt('a page', { offset, length }, () => {
    return new Page(bytes, (number) => own.find((record) => record.number === number), likely);
  });
  const difference = differenceOf(segment, group, place, page);
  if (difference !== undefined) throw segmentLoss(`a page ${difference}`, { offset, length });
  return page;
}

function recordOf(range: SegmentRange, read: ReadBytes, records: Map<number, TimesRecord>): TimesRecord {
  const { offset, length } = range;
  const known = records.get(offset);
  if (known !== undefined && known.bytes.length === length) return known;
  const record = decodedAt('a times record', { offset, length }, () => new TimesRecord(read.at(range)));
  records.set(offset, record);
  return record;
}

/** What a page has that the index or the footer says otherwise; undefined where it is the page that was written there. */
function differenceOf({ head }: Segment, group: SegmentGroup, place: PagePlace, page: Page): string | undefined {
  const { bytes, slots, minTimeMs, maxTimeMs, series, fromOffset, toOffset } = page;
  const crc = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4, true);
  if (crc !== place.crc32c) return 'of another checksum than the index says';
  if (slots !== place.slots) return `of ${slots} slots, not ${place.slots}`;
  const points = series.reduce((sum, _, slot) => sum + page.countOf(slot), 0);
  if (points !== place.points) return `of ${points} points, not ${place.points}`;
  if (minTimeMs !== place.minTimeMs || maxTimeMs !== place.maxTimeMs) return `of times ${minTimeMs} to ${maxTimeMs}`;
  if (fromOffset !== head.fromOffset || toOffset !== head.toOffset) return `of offsets ${fromOffset} to ${toOffset}`;
  const end = group.firstSeries + group.series;
  const stranger = series.findIndex(
    (one, i) => one < group.firstSeries || one >= end || (i > 0 && one <= series[i - 1]),
  );
  if (stranger >= 0) return `of series ${series[stranger]} (limit: ${group.firstSeries} to ${end - 1}, ascending)`;
  const dayMs = head.day * DAY_MS;
  return minTimeMs < dayMs || maxTimeMs >= dayMs + DAY_MS ? 'of another day' : undefined;
}
