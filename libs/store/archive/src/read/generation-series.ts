import type { Page } from '@tidemark/page';
import { WorkSlice } from '@tidemark/ports';
import { plansOf, type ReadGroup, readPages, type Segment, type SegmentGroup } from '@tidemark/segment';
import type { ArchivedDay } from '../day-manifest.ts';
import { namesKey, segmentKey } from '../day-place.ts';
import { isOfDay } from '../list-days.ts';
import { NamesObject } from '../names/names-object.ts';
import { type ReadParts, segmentOf, sourceOf } from './day-objects.ts';
import { NamesCursor, type SeriesKey } from './names-cursor.ts';

/** Which points are read: all without a bound. */
export interface ArchivedQuery {
  readonly tenant?: string | undefined;
  readonly metric?: string | undefined;
  /** Tags that a series must have, all of them. One without a name has none. */
  readonly tags?: readonly string[] | undefined;
  /** Points in [fromMs, toMs), ms since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A series of a generation, of which no value is decoded. */
export interface FoundSeries extends SeriesKey {
  /** The cut of the generation. */
  readonly toOffset: number;
  /** Undefined for a series whose name the tag store did not have. */
  readonly tags: readonly string[] | undefined;
  /** The object that the pages are of. */
  readonly key: string;
  /** By map epoch, then by time. */
  readonly slots: readonly { readonly page: Page; readonly slot: number }[];
}

/** The series of a generation that have pages in the range, in the order of segments. */
export async function* seriesOfGeneration(
  parts: ReadParts,
  day: ArchivedDay,
  query: ArchivedQuery,
): AsyncGenerator<FoundSeries, void> {
  const names = new Names(parts, day, query);
  const { toOffset } = day;
  for (const part of day.segments.keys()) {
    const key = segmentKey(day, part);
    for await (const { group, ids, pages } of groupsOf(parts, day, part, query)) {
      const { tenant, metric, seriesClass } = group;
      const slots = slotsOf(pages, group);
      for (const [i, id] of ids.entries()) {
        if (slots[i].length === 0) continue;
        const own = { tenant, metric, seriesClass, id };
        yield { ...own, toOffset, key, tags: await names.tagsOf(own), slots: slots[i] };
      }
    }
  }
}

/** Of each series of a group the slots that it has. */
function slotsOf(pages: readonly Page[], { firstSeries, series }: SegmentGroup): { page: Page; slot: number }[][] {
  const slots: { page: Page; slot: number }[][] = Array.from({ length: series }, () => []);
  for (const page of pages) {
    for (let slot = 0; slot < page.slots; slot++) slots[page.series[slot] - firstSeries].push({ page, slot });
  }
  return slots;
}

async function* groupsOf(
  parts: ReadParts,
  day: ArchivedDay,
  part: number,
  query: ArchivedQuery,
): AsyncGenerator<ReadGroup> {
  const { onFinding, signal } = parts;
  const key = segmentKey(day, part);
  const slice = new WorkSlice(undefined, signal);
  try {
    const segment = await segmentOf(parts, day, part);
    for await (const plan of plansOf(segment, groupsIn(segment, query), query)) {
      let read: ReadGroup[];
      try {
        read = await readPages(segment, plan, slice);
      } catch (error) {
        if (!isOfDay(error)) throw error;
        // The index is whole: further groups can be read.
        onFinding({ key, error });
        continue;
      }
      yield* read;
    }
  } catch (error) {
    if (!isOfDay(error)) throw error;
    onFinding({ key, error });
  }
}

async function* groupsIn(segment: Segment, { tenant, metric }: ArchivedQuery): AsyncGenerator<SegmentGroup> {
  if (tenant !== undefined && metric !== undefined) {
    yield* segment.groups({ tenant, metric });
    return;
  }
  const isText = (bytes: Uint8Array, text: string | undefined) => text === undefined || Buffer.from(text).equals(bytes);
  for await (const group of segment.allGroups()) {
    if (isText(group.tenant, tenant) && isText(group.metric, metric)) yield group;
  }
}

/** The tags of the series of a generation. Where names can't be read, series have none. */
class Names {
  readonly #parts: ReadParts;
  readonly #day: ArchivedDay;
  readonly #query: ArchivedQuery;
  #cursor: NamesCursor | undefined;
  #isDamaged = false;

  constructor(parts: ReadParts, day: ArchivedDay, query: ArchivedQuery) {
    this.#parts = parts;
    this.#day = day;
    this.#query = query;
  }

  async tagsOf(series: SeriesKey): Promise<readonly string[] | undefined> {
    if (this.#isDamaged) return undefined;
    try {
      this.#cursor ??= await this.#open();
      return await this.#cursor.tagsOf(series);
    } catch (error) {
      if (!isOfDay(error)) throw error;
      this.#isDamaged = true;
      this.#parts.onFinding({ key: namesKey(this.#day), error });
      return undefined;
    }
  }

  async #open(): Promise<NamesCursor> {
    const { namesBytes: bytes, namesCrc32c: crc32c } = this.#day;
    const { tenant, metric } = this.#query;
    const names = await NamesObject.open(await sourceOf(this.#parts, namesKey(this.#day), { bytes, crc32c }));
    return new NamesCursor(names, {
      ...(tenant !== undefined && { tenant }),
      ...(tenant !== undefined && metric !== undefined && { metric }),
    });
  }
}
