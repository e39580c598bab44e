import { compareBytes, toHex } from '@tidemark/bytes';
import { DAY_MS, SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { PageDecoder, PageKernel, PageWriter } from '@tidemark/page';
import { below, type Random } from '@tidemark/ports';
import { planPages, type ReadGroup, readPages } from './read-pages.ts';
import type { SegmentSource } from './read-ranges.ts';
import { type GroupQuery, Segment, type SegmentLimits } from './segment.ts';
import type { SegmentHead } from './segment-format.ts';
import { SegmentInput } from './segment-input.ts';
import type { SegmentSeries, SeriesPart } from './segment-series.ts';
import { type SegmentWriterOptions, writeSegment } from './segment-writer.ts';

const DAY = 19_675;
export const DAY_START_MS = DAY * DAY_MS;
export const HEAD: SegmentHead = {
  ...{ partition: 3, day: DAY, part: 0 },
  ...{ fromOffset: 1000, toOffset: 900_000, logId: 'log-1' },
};

const kernel = new PageKernel();
const writer = new PageWriter(kernel);
const decoder = new PageDecoder(new PageKernel());

/** A segment in memory, which counts its reads. */
export class SegmentBytes implements SegmentSource {
  readonly bytes: Uint8Array;
  readonly reads: (readonly [offset: number, length: number])[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  readonly readRange = async (offset: number, length: number): Promise<Uint8Array> => {
    this.reads.push([offset, length]);
    return this.bytes.subarray(offset, offset + length);
  };
}

/** The segments of series, the next where one is full. */
export async function encodeAll(
  series: AsyncIterable<SegmentSeries> | Iterable<SegmentSeries>,
  options: Partial<SegmentWriterOptions> = {},
): Promise<Buffer[]> {
  const input = new SegmentInput(series, HEAD.day);
  const segments: Buffer[] = [];
  while (!(await input.isDone())) {
    const head = { ...HEAD, part: segments.length };
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeSegment(input, writer, { head, ...options })) chunks.push(chunk);
    segments.push(Buffer.concat(chunks));
  }
  return segments;
}

export async function encodeOne(series: Iterable<SegmentSeries>, options?: Partial<SegmentWriterOptions>) {
  const segments = await encodeAll(series, options);
  if (segments.length !== 1) throw new Error(`${segments.length} segments`);
  return segments[0];
}

/** A point as text: all that it is, so that points compare by it. */
export type PointText = string;

function textOf(key: string, mapEpoch: number, timeMs: number, value: string): PointText {
  return `${key} ${mapEpoch} ${timeMs - DAY_START_MS} ${value}`;
}

function keyOf(tenant: string, metric: string, seriesClass: SeriesClass, id: Uint8Array): string {
  return `${tenant}/${metric}/${seriesClass}/${toHex(id)}`;
}

function bitsOf(values: Float64Array, i: number): string {
  return new BigUint64Array(values.slice(i, i + 1).buffer)[0].toString(16);
}

/** All points of series, in their order. */
export function pointsOf(series: Iterable<SegmentSeries>): PointText[] {
  const points: PointText[] = [];
  for (const { tenant, metric, seriesClass, id, parts } of series) {
    const key = keyOf(tenant, metric, seriesClass, id);
    for (const { mapEpoch, timesMs, values, sketches } of parts) {
      timesMs.forEach((timeMs, i) => {
        const value = values === undefined ? toHex(sketches?.[i] ?? new Uint8Array(0)) : bitsOf(values, i);
        points.push(textOf(key, mapEpoch, timeMs, value));
      });
    }
  }
  return points;
}

/** All points of a group that was read, series by series. */
export function pointsOfGroup({ group, ids, pages }: ReadGroup): PointText[] {
  const { tenant, metric, seriesClass, firstSeries } = group;
  const bySeries: PointText[][] = ids.map(() => []);
  for (const page of pages) {
    page.series.forEach((number, slot) => {
      const i = number - firstSeries;
      const key = keyOf(Buffer.from(tenant).toString(), Buffer.from(metric).toString(), seriesClass, ids[i]);
      const timesMs = page.times.timesOf(page.classOf(slot)).slice();
      const sketches = page.hasSketches(slot) ? page.sketchesOf(slot) : undefined;
      if (sketches === undefined) decoder.decode(page, slot, decoder.freeAt);
      const at = decoder.freeAt / 8;
      timesMs.forEach((timeMs, k) => {
        const value = sketches === undefined ? bitsOf(decoder.floats, at + k) : toHex(sketches[k]);
        bySeries[i].push(textOf(key, page.mapEpoch, timeMs, value));
      });
    });
  }
  return bySeries.flat();
}

export interface RangeOf {
  readonly fromMs: number;
  readonly toMs: number;
}
const WHOLE_DAY: RangeOf = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

/** The groups of a query that were read. */
export async function readAll(segment: Segment, query: GroupQuery, range: RangeOf = WHOLE_DAY): Promise<ReadGroup[]> {
  const found: ReadGroup[] = [];
  for await (const plan of planPages(segment, { ...query, ...range })) found.push(...(await readPages(segment, plan)));
  decoder.clear();
  return found;
}

/** All points of a segment, by its index. */
export async function decodeAll(source: SegmentSource, limits?: SegmentLimits): Promise<PointText[]> {
  const segment = await Segment.open(source, limits);
  const metrics = new Map<string, GroupQuery>();
  for await (const group of segment.allGroups()) {
    const query = { tenant: Buffer.from(group.tenant).toString(), metric: Buffer.from(group.metric).toString() };
    metrics.set(`${query.tenant}/${query.metric}`, query);
  }
  const points: PointText[] = [];
  for (const query of metrics.values()) {
    for (const group of await readAll(segment, query)) for (const point of pointsOfGroup(group)) points.push(point);
  }
  return points;
}

const SPECIAL = new Float64Array(
  new BigUint64Array([0x8000_0000_0000_0000n, 0x7ff0_0000_0000_0002n, 0xfff8_dead_beef_0001n, 0x7ff0_0000_0000_0000n])
    .buffer,
);

function someTimes(random: Random, shared: readonly Float64Array<ArrayBuffer>[]): Float64Array<ArrayBuffer> {
  const kind = below(random, 8);
  if (kind < 3) return shared[below(random, shared.length)];
  if (kind === 3) {
    const [startMs, stepMs] = [below(random, DAY_MS / 2), 1 + below(random, 60_000)];
    const count = Math.min(1 + below(random, 50), Math.floor((DAY_MS - 1 - startMs) / stepMs));
    return Float64Array.from({ length: count }, (_, i) => DAY_START_MS + startMs + i * stepMs);
  }
  // One series now and then has more points in an hour than a page.
  const count = kind === 4 && below(random, 40) === 0 ? 5000 : 1 + below(random, 40);
  const spanMs = kind === 4 ? 3_600_000 : DAY_MS;
  return Float64Array.from({ length: count }, () => DAY_START_MS + below(random, spanMs)).sort();
}

function somePart(
  random: Random,
  mapEpoch: number,
  hasSketches: boolean,
  timesMs: Float64Array<ArrayBuffer>,
): SeriesPart {
  if (hasSketches) {
    const sketches = Array.from(timesMs, () => random.bytes(below(random, 50)));
    return { mapEpoch, timesMs, sketches };
  }
  const kind = below(random, 4);
  const values = timesMs.map((_, i) => {
    if (below(random, 50) === 0) return SPECIAL[below(random, SPECIAL.length)];
    return [7, i * 3, below(random, 1000) / 100, random.next()][kind];
  });
  return { mapEpoch, timesMs, values };
}

/** Series of the day in the order of segments, of all classes, with shared times and several map epochs. */
export function someSeries(random: Random, metrics: number, seriesOfMetric: number): SegmentSeries[] {
  const shared = Array.from({ length: 4 }, () =>
    Float64Array.from({ length: 1 + below(random, 60) }, () => DAY_START_MS + below(random, DAY_MS)).sort(),
  );
  const all: SegmentSeries[] = [];
  const names = new Set(Array.from({ length: metrics }, () => `${'abz'[below(random, 3)]}.${below(random, 1000)}é`));
  for (const metric of names) {
    const count = 1 + below(random, seriesOfMetric);
    const tenant = ['default', 'b'][below(random, 2)];
    for (let i = 0; i < count; i++) {
      const seriesClass = ([1, 1, 1, 2, 3] as const)[below(random, 5)];
      const epochs = below(random, 10) === 0 ? [1, 4] : [1 + below(random, 2)];
      const isSketch = seriesClass === SERIES_CLASS.distribution;
      const parts = epochs.map((mapEpoch) => somePart(random, mapEpoch, isSketch, someTimes(random, shared)));
      all.push({ tenant, metric, seriesClass, id: random.bytes(16), parts });
    }
  }
  return all.sort(compareSeries);
}

/** An id of a series: those of larger numbers come later. */
export function numberedId(number: number): Buffer {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(number);
  return id;
}

/** The order of series in segments. */
export function compareSeries(a: SegmentSeries, b: SegmentSeries): number {
  return (
    compareBytes(Buffer.from(a.tenant), Buffer.from(b.tenant)) ||
    compareBytes(Buffer.from(a.metric), Buffer.from(b.metric)) ||
    a.seriesClass - b.seriesClass ||
    compareBytes(a.id, b.id)
  );
}
