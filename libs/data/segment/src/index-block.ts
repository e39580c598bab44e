import { ByteReader, ByteWriter, compareBytes } from '@tidemark/bytes';
import { DAY_MS, ID_BYTES } from '@tidemark/model';
import { PAGE_RECORDS_LIMIT, PAGE_SLOTS_LIMIT, PAGE_TIMES_LIMIT } from '@tidemark/page';
import { compareMetricKeys, type MetricKey, readMetricKey, writeMetricKey } from './metric-key.ts';
import { GROUP_PAGES_LIMIT, PAGE_BYTES_LIMIT, RECORD_BYTES_LIMIT } from './segment-format.ts';
import type { PagePlace, SegmentGroup, SegmentRange } from './segment-group.ts';
import { HEADER_BYTES } from './segment-head.ts';

/** How an entry begins: with the metric of the entry before, or with one of its own. */
const METRIC = { same: 0, own: 1 } as const;
const SERIES_LIMIT = 2 ** 32;

/** Where the parts of a segment are that blocks name. */
export interface BlockBounds {
  readonly dayStartMs: number;
  /** Pages, records and ids end before it. */
  readonly indexAt: number;
}

/** Writes groups, in their order, into one index block. */
export class BlockWriter {
  readonly #out = new ByteWriter();
  readonly #dayStartMs: number;
  #before: MetricKey | undefined;
  #groups = 0;

  constructor(dayStartMs: number) {
    this.#dayStartMs = dayStartMs;
  }

  get groups(): number {
    return this.#groups;
  }

  get length(): number {
    return this.#out.length;
  }

  add(group: SegmentGroup): void {
    const out = this.#out;
    if (this.#groups === 0) out.varint(group.firstSeries);
    this.#groups++;
    if (this.#before !== undefined && compareMetricKeys(this.#before, group) === 0) out.u8(METRIC.same);
    else {
      out.u8(METRIC.own);
      writeMetricKey(group, out);
      this.#before = group;
    }
    out.varint(group.series);
    out.bytes(group.firstId);
    if (group.series > 1) out.bytes(group.lastId);
    if (group.ids !== undefined) {
      out.varint(group.ids.offset);
      out.u32(group.ids.crc32c ?? 0);
    }
    out.varint(group.pages.length);
    let end = 0;
    for (const page of group.pages) {
      this.#addPage(page, end);
      end = page.offset + page.length;
    }
  }

  #addPage(page: PagePlace, end: number): void {
    const out = this.#out;
    out.signedVarint(page.offset - end);
    out.varint(page.length);
    out.u32(page.crc32c);
    out.varint(page.minTimeMs - this.#dayStartMs);
    out.varint(page.maxTimeMs - page.minTimeMs);
    out.varint(page.slots);
    out.varint(page.points);
    out.varint(page.records.length);
    for (const { offset, length } of page.records) {
      out.signedVarint(page.offset - offset);
      out.varint(length);
    }
  }

  /** The block; the writer is empty again. */
  take(): Buffer {
    this.#before = undefined;
    this.#groups = 0;
    return this.#out.take();
  }
}

/** Reads the groups of an index block. Bytes may be hostile: those of anything else are `data_loss`. */
export function readBlock(bytes: Uint8Array, bounds: BlockBounds): SegmentGroup[] {
  const reader = new ByteReader(bytes, 'index block');
  const groups: SegmentGroup[] = [];
  let firstSeries = reader.varint();
  let before: SegmentGroup | undefined;
  while (reader.remaining > 0) {
    const group = readGroup(reader, firstSeries, before, bounds);
    if (before !== undefined) checkOrder(reader, before, group);
    groups.push(group);
    before = group;
    firstSeries += group.series;
    if (firstSeries > SERIES_LIMIT) reader.fail(`${firstSeries} series`);
  }
  return groups;
}

function readGroup(
  reader: ByteReader,
  firstSeries: number,
  before: MetricKey | undefined,
  bounds: BlockBounds,
): SegmentGroup {
  const how = reader.u8();
  if (how > METRIC.own || (how === METRIC.same && before === undefined)) reader.fail(`unknown kind ${how} of an entry`);
  const key = how === METRIC.same && before !== undefined ? before : readMetricKey(reader);
  const series = count(reader, PAGE_SLOTS_LIMIT, 'series of a group');
  const firstId = reader.bytes(ID_BYTES);
  const lastId = series > 1 ? reader.bytes(ID_BYTES) : firstId;
  if (series > 1 && compareBytes(firstId, lastId) >= 0) reader.fail('ids of a group descend');
  const ids = series > 2 ? readIds(reader, series - 2, bounds) : undefined;
  const length = count(reader, GROUP_PAGES_LIMIT, 'pages of a group');
  const pages: PagePlace[] = [];
  let end = 0;
  for (let i = 0; i < length; i++) {
    const page = readPage(reader, end, series, bounds);
    pages.push(page);
    end = page.offset + page.length;
  }
  const { tenant, metric, seriesClass } = key;
  return { tenant, metric, seriesClass, firstSeries, series, firstId, lastId, ids, pages };
}

function readIds(reader: ByteReader, ids: number, bounds: BlockBounds): SegmentRange {
  const offset = reader.varint();
  return checkRange(reader, { offset, length: ids * ID_BYTES, crc32c: reader.u32() }, bounds);
}

function readPage(reader: ByteReader, end: number, series: number, bounds: BlockBounds): PagePlace {
  const offset = end + reader.signedVarint();
  const length = count(reader, PAGE_BYTES_LIMIT, 'bytes of a page');
  const crc32c = reader.u32();
  const minTimeMs = bounds.dayStartMs + reader.varint();
  const maxTimeMs = minTimeMs + reader.varint();
  if (maxTimeMs >= bounds.dayStartMs + DAY_MS) reader.fail('a page with times of another day');
  const slots = count(reader, series, 'slots of a page');
  const points = count(reader, slots * PAGE_TIMES_LIMIT, 'points of a page');
  const records: SegmentRange[] = [];
  const found = reader.varint();
  if (found > PAGE_RECORDS_LIMIT) reader.fail(`${found} times records of a page (limit: ${PAGE_RECORDS_LIMIT})`);
  for (let i = 0; i < found; i++) {
    const recordAt = offset - reader.signedVarint();
    const range = { offset: recordAt, length: count(reader, RECORD_BYTES_LIMIT, 'bytes of a times record') };
    records.push(checkRange(reader, range, bounds));
  }
  return checkRange(reader, { offset, length, crc32c, minTimeMs, maxTimeMs, slots, points, records }, bounds);
}

/** Reads a varint of 1 to `limit`. */
function count(reader: ByteReader, limit: number, what: string): number {
  const value = reader.varint();
  if (value === 0 || value > limit) reader.fail(`${value} ${what} (limit: 1 to ${limit})`);
  return value;
}

function checkRange<T extends SegmentRange>(reader: ByteReader, range: T, { indexAt }: BlockBounds): T {
  const { offset, length } = range;
  if (offset < HEADER_BYTES || offset + length > indexAt) {
    reader.fail(`${length} bytes at ${offset} (limit: ${HEADER_BYTES} to ${indexAt})`);
  }
  return range;
}

function checkOrder(reader: ByteReader, a: SegmentGroup, b: SegmentGroup): void {
  const order = compareMetricKeys(a, b) || compareBytes(a.lastId, b.firstId);
  if (order >= 0) reader.fail('groups descend');
}
