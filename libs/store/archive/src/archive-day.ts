import { compareBytes, crc32c as crc32cOf } from '@tidemark/bytes';
import type { PageWriter } from '@tidemark/page';
import type { DayPoints } from '@tidemark/point-store';
import { isTidemarkError, type ObjectStore, TidemarkError, type WorkSlice } from '@tidemark/ports';
import {
  objectSource,
  Segment,
  SegmentInput,
  type SegmentSeries,
  verifySegment,
  writeSegment,
} from '@tidemark/segment';
import { type ArchivedDay, type ArchivedSegment, decodeDay, encodeDay } from './day-manifest.ts';
import { type DayPlace, manifestKey, segmentKey } from './day-place.ts';

/** How a metric is called. */
export interface MetricName {
  readonly tenant: string;
  readonly metric: string;
}

export interface ArchiveParts {
  readonly objects: ObjectStore;
  /** The points of the day. */
  readonly points: Pick<DayPoints, 'seriesByMetric' | 'metricId' | 'read'>;
  /** The name of a metric by its id; undefined for one that the tag store does not know. */
  readonly nameOf: (metricId: Uint8Array) => MetricName | undefined;
  readonly pages: PageWriter;
  readonly slice: WorkSlice;
}

export interface ArchiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes after which a segment gets no further group. Default: that of the writer. */
  readonly segmentBytes?: number;
}

/**
 * Puts a generation of a day into the object store: its segments, then its manifest, which makes it visible. Replicas write the same
 * objects: what is there is compared, and not written again. After a crash it is repeated. Returns the manifest.
 *
 * Errors: `failed_precondition` for a metric without a name; `data_loss` where the object store has another day under these keys; those
 * of the points and the object store.
 */
export async function archiveDay(
  parts: ArchiveParts,
  place: DayPlace,
  options: ArchiveOptions = {},
): Promise<ArchivedDay> {
  const { objects } = parts;
  const { signal } = options;
  const known = await archivedDay(objects, place, options);
  if (known !== undefined) return known;
  const input = new SegmentInput(seriesOf(parts), place.day);
  const segments: ArchivedSegment[] = [];
  try {
    for (let part = 0; !(await input.isDone()); part++) {
      signal?.throwIfAborted();
      segments.push(await putSegment(parts, place, part, input, options));
    }
  } finally {
    await input.close();
  }
  const archived = { ...place, segments };
  const key = manifestKey(place);
  try {
    await objects.put(key, encodeDay(archived), { ifAbsent: true, ...(signal && { signal }) });
  } catch (error) {
    if (!isTidemarkError(error, 'already_exists')) throw error;
    // Of a replica, or of an attempt whose reply was lost.
    const found = await archivedDay(objects, place, options);
    if (found === undefined) throw error;
    return found;
  }
  return archived;
}

/** The manifest of a generation; undefined where there is none. `data_loss` where it is of another log or other records. */
export async function archivedDay(
  objects: Pick<ObjectStore, 'get'>,
  place: DayPlace,
  { signal }: ArchiveOptions = {},
): Promise<ArchivedDay | undefined> {
  const key = manifestKey(place);
  const bytes = await objects.get(key, { ...(signal && { signal }) }).then(
    (found) => found.bytes,
    (error: unknown) => {
      if (isTidemarkError(error, 'not_found')) return undefined;
      throw error;
    },
  );
  if (bytes === undefined) return undefined;
  const found = decodeDay(bytes, key);
  for (const field of ['partition', 'day', 'generation', 'logId', 'fromOffset', 'toOffset'] as const) {
    if (found[field] === place[field]) continue;
    const text = `object ${key}, ${field}: ${found[field]} (limit: ${place[field]}); it is a day of another platform, or of another log`;
    throw new TidemarkError('data_loss', `${text}: set another objects.prefix`, { key, field });
  }
  return found;
}

async function* seriesOf({ points, nameOf }: ArchiveParts): AsyncGenerator<SegmentSeries> {
  const metrics = [...points.seriesByMetric()].map(([metric, series]) => {
    const name = nameOf(points.metricId(metric));
    if (name !== undefined) return { metric, series, name, key: [Buffer.from(name.tenant), Buffer.from(name.metric)] };
    const id = Buffer.from(points.metricId(metric)).toString('hex');
    throw new TidemarkError('failed_precondition', `the tag store does not know the metric ${id}`, { metric: id });
  });
  metrics.sort((a, b) => compareBytes(a.key[0], b.key[0]) || compareBytes(a.key[1], b.key[1]));
  for (const { metric, series, name } of metrics) {
    for await (const one of points.read(metric, series)) yield { ...name, ...one };
  }
}

async function putSegment(
  { objects, pages, slice }: ArchiveParts,
  place: DayPlace,
  part: number,
  input: SegmentInput,
  { signal, segmentBytes }: ArchiveOptions,
): Promise<ArchivedSegment> {
  const key = segmentKey(place, part);
  const { partition, day, generation, fromOffset, toOffset, logId } = place;
  const head = { partition, day, generation, part, fromOffset, toOffset, logId };
  const written = new CountedChunks(writeSegment(input, pages, { head, segmentBytes, slice }));
  const info = await objects
    .putStream(key, written, { ifAbsent: true, ...(signal && { signal }) })
    .catch(async (error: unknown) => {
      if (!isTidemarkError(error, 'already_exists')) throw error;
      // The next part continues where this one ends.
      await written.finish();
      return objects.head(key, { ...(signal && { signal }) });
    });
  const segment = await Segment.open(objectSource(objects, info, { ...(signal && { signal }) }));
  const { sizeBytes, crc32c } = written;
  if (info.sizeBytes !== sizeBytes || info.crc32c !== crc32c) {
    const found = `${info.sizeBytes} bytes with the CRC-32C ${info.crc32c}`;
    const text = `object ${key}: ${found}, expected ${sizeBytes} with ${crc32c}: replicas differ, or it is of another program`;
    throw new TidemarkError('data_loss', text, { key });
  }
  await verifySegment(segment, slice);
  const { metrics, series, points } = segment.counts;
  return { bytes: sizeBytes, crc32c, metrics, series, points };
}

/** Counts the bytes of a stream. A reader that stops early does not end the stream. */
class CountedChunks implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  sizeBytes = 0;
  crc32c = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** Reads what is left. */
  async finish(): Promise<void> {
    while (!(await this.#next()).done);
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const next = await this.#chunks.next();
    if (next.done !== true) {
      this.sizeBytes += next.value.length;
      this.crc32c = crc32cOf(next.value, this.crc32c);
    }
    return next;
  }
}
