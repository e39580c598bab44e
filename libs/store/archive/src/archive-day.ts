import { compareBytes, crc32c as crc32cOf, equalBytes } from '@tidemark/bytes';
import type { SeriesName } from '@tidemark/model';
import type { PageWriter } from '@tidemark/page';
import type { DayPoints } from '@tidemark/point-store';
import { isTidemarkError, type ObjectInfo, type ObjectStore, TidemarkError, type WorkSlice } from '@tidemark/ports';
import {
  objectSource,
  Segment,
  SegmentInput,
  type SegmentSeries,
  verifySegment,
  writeSegment,
} from '@tidemark/segment';
import { type ArchivedDay, type ArchivedSegment, decodeDay, encodeDay } from './day-manifest.ts';
import { type DayPlace, manifestKey, namesKey, segmentKey } from './day-place.ts';
import { archivedCuts, readDay } from './list-days.ts';
import { NamesObject } from './names/names-object.ts';
import { NamesWriter } from './names/names-writer.ts';

/** The names of metrics and series by their ids; undefined for those that the tag store does not know. */
export interface NamesById {
  /** True when the tag store has passed records of its log: names that it does not know will not come. */
  readonly hasGaps: boolean;
  metricOf(metricId: Uint8Array): Pick<SeriesName, 'tenant' | 'metric'> | undefined;
  tagsOf(seriesId: Uint8Array): readonly string[] | undefined;
}

/** The reason of an error for names that are not known yet. */
export const NAMES_TO_COME = 'names';

export interface ArchiveParts {
  readonly objects: ObjectStore;
  /** The points of the day. */
  readonly points: Pick<DayPoints, 'seriesByMetric' | 'metricId' | 'read'>;
  readonly names: NamesById;
  readonly pages: PageWriter;
  readonly slice: WorkSlice;
}

export interface ArchiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes after which a segment gets no further group. Default: that of the writer. */
  readonly segmentBytes?: number;
}

/**
 * Puts a generation of a day into the object store: its segments and the names of its series, then its manifest, which makes it
 * visible. Replicas write the same objects: what is there is compared, and not written again, except for a generation with a manifest,
 * which is done. After a crash it is repeated. Returns the manifest.
 *
 * Errors: `failed_precondition` with the reason `names` for a metric or series whose name is still to come; `data_loss` where the object store has another day under these keys; those
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
  const names = new NamesWriter(place.day);
  const input = new SegmentInput(seriesOf(parts, names), place.day);
  const segments: ArchivedSegment[] = [];
  try {
    for (let part = 0; !(await input.isDone()); part++) {
      signal?.throwIfAborted();
      segments.push(await putSegment(parts, place, part, input, options));
    }
  } finally {
    await input.close();
  }
  const archived = { ...place, segments, ...(await putNames(parts, place, names, options)) };
  const key = manifestKey(place);
  const encoded = encodeDay(archived);
  // One that no program could read would make the day invisible.
  decodeDay(encoded, key);
  try {
    await objects.put(key, encoded, { ifAbsent: true, ...(signal && { signal }) });
  } catch (error) {
    if (!isTidemarkError(error, 'already_exists')) throw error;
    // Of a replica, or of an attempt whose reply was lost.
    const found = await archivedDay(objects, place, options);
    if (found === undefined) throw error;
    if (equalBytes(encodeDay(found), encoded)) return found;
    const text = `object ${key}: it names other objects than were written: replicas differ, or it is of another program`;
    throw new TidemarkError('data_loss', text, { key });
  }
  return archived;
}

/**
 * The generation as it must be archived; undefined where it is archived. It begins at the last cut that is archived: a platform that
 * was restored has closed the day at another cut than the lost one, and has the points of the records before it from a snapshot.
 * Errors: those of the store; `data_loss` for a manifest of another log.
 */
export async function placeToArchive(
  objects: Pick<ObjectStore, 'list' | 'head' | 'get'>,
  place: DayPlace,
  { signal }: ArchiveOptions = {},
): Promise<DayPlace | undefined> {
  const { partition, day, fromOffset, toOffset } = place;
  const cuts = await archivedCuts(objects, { partition, day }, { signal });
  if (cuts.includes(toOffset) && (await archivedDay(objects, place, { signal })) !== undefined) return undefined;
  return { ...place, fromOffset: Math.max(fromOffset, ...cuts.filter((cut) => cut < toOffset)) };
}

/** The manifest of a generation; undefined where there is none. `data_loss` where it is of another log. */
export async function archivedDay(
  objects: Pick<ObjectStore, 'head' | 'get'>,
  place: DayPlace,
  { signal }: ArchiveOptions = {},
): Promise<ArchivedDay | undefined> {
  const found = await readDay(objects, place, { signal });
  if (found === undefined || found.logId === place.logId) return found;
  const key = manifestKey(place);
  const text = `object ${key}, logId: ${found.logId} (limit: ${place.logId}); it is a day of another platform, or of another log`;
  throw new TidemarkError('data_loss', `${text}: set another objects.prefix`, { key, field: 'logId' });
}

/** Series with their points, which it adds to the names. */
async function* seriesOf({ points, names }: ArchiveParts, named: NamesWriter): AsyncGenerator<SegmentSeries> {
  const metrics: { metric: number; series: Uint32Array; name: Pick<SeriesName, 'tenant' | 'metric'>; key: Buffer[] }[] =
    [];
  for (const [metric, series] of points.seriesByMetric()) {
    const id = points.metricId(metric);
    let name = names.metricOf(id);
    if (name === undefined) {
      // It may have points of later records only.
      if (!(await hasPoints(points, metric, series))) continue;
      name = withoutName(names, 'metric', id);
    }
    metrics.push({ metric, series, name, key: [Buffer.from(name.tenant), Buffer.from(name.metric)] });
  }
  metrics.sort((a, b) => compareBytes(a.key[0], b.key[0]) || compareBytes(a.key[1], b.key[1]));
  for (const { metric, series, name } of metrics) {
    for await (const one of points.read(metric, series)) {
      const { id, seriesClass } = one;
      const tags = names.tagsOf(id);
      if (tags === undefined) withoutName(names, 'series', id);
      else named.add({ id, name: { ...name, seriesClass, tags: [...tags] } });
      yield { ...name, ...one };
    }
  }
}

async function hasPoints(points: ArchiveParts['points'], metric: number, series: Uint32Array): Promise<boolean> {
  for await (const _ of points.read(metric, series)) return true;
  return false;
}

/** What stands in place of a name that is lost: no tenant has it, and its points are kept. */
function withoutName({ hasGaps }: NamesById, what: string, id: Uint8Array): Pick<SeriesName, 'tenant' | 'metric'> {
  const text = Buffer.from(id).toString('hex');
  if (hasGaps) return { tenant: '', metric: text };
  const message = `no name is known of the ${what} ${text}; it is read again with the next snapshot of the tag store`;
  throw new TidemarkError('failed_precondition', message, { reason: NAMES_TO_COME, [what]: text });
}

async function putSegment(
  { objects, pages, slice }: ArchiveParts,
  place: DayPlace,
  part: number,
  input: SegmentInput,
  { signal, segmentBytes }: ArchiveOptions,
): Promise<ArchivedSegment> {
  const key = segmentKey(place, part);
  const { partition, day, fromOffset, toOffset, logId } = place;
  const head = { partition, day, part, fromOffset, toOffset, logId };
  const info = await putOnce(objects, key, writeSegment(input, pages, { head, segmentBytes, slice }), signal);
  const segment = await Segment.open(objectSource(objects, info, { ...(signal && { signal }) }));
  await verifySegment(segment, slice);
  const { metrics, series, points } = segment.counts;
  return { bytes: info.sizeBytes, crc32c: info.crc32c, metrics, series, points };
}

async function putNames(
  { objects, slice }: ArchiveParts,
  place: DayPlace,
  names: NamesWriter,
  { signal }: ArchiveOptions,
): Promise<Pick<ArchivedDay, 'namesBytes' | 'namesCrc32c' | 'namedSeries'>> {
  const info = await putOnce(objects, namesKey(place), inOrder(names.finish()), signal);
  const written = await NamesObject.open(objectSource(objects, info, { ...(signal && { signal }) }));
  let named = 0;
  for await (const _ of written.read()) {
    named++;
    if (slice.spend(1)) await slice.next();
  }
  return { namesBytes: info.sizeBytes, namesCrc32c: info.crc32c, namedSeries: named };
}

async function* inOrder(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/**
 * Puts an object whose key is absent. One that is there is compared with what would be written, all of which is read in any case.
 * Returns what is there, with its checksum.
 */
async function putOnce(
  objects: ObjectStore,
  key: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<ObjectInfo> {
  const written = new CountedChunks(chunks);
  const info = await objects
    .putStream(key, written, { ifAbsent: true, ...(signal && { signal }) })
    .catch(async (error: unknown) => {
      if (!isTidemarkError(error, 'already_exists')) throw error;
      await written.finish();
      return objects.head(key, { ...(signal && { signal }) });
    });
  const { sizeBytes, crc32c } = written;
  if (info.sizeBytes === sizeBytes && info.crc32c === crc32c) return info;
  const found = `${info.sizeBytes} bytes with the CRC-32C ${info.crc32c}`;
  const text = `object ${key}: ${found}, expected ${sizeBytes} with ${crc32c}: replicas differ, or it is of another program`;
  throw new TidemarkError('data_loss', text, { key });
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
