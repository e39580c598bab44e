import { crc32c } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import type { ChunkedOutput } from './chunked-output.ts';
import type { WrittenPage } from './group-encoder.ts';
import type { MetricKey } from './metric-key.ts';
import type { PagePlace, SegmentGroup, SegmentRange } from './segment-group.ts';

/** Bytes of pages after which a stripe ends: a writer has so many in memory. */
export const STRIPE_BYTES = 16 * 2 ** 20;

/** A group whose pages were encoded. */
export interface WrittenGroup extends MetricKey {
  readonly firstSeries: number;
  readonly ids: readonly Uint8Array[];
  readonly pages: readonly WrittenPage[];
}

/**
 * Groups of one metric that follow each other. Their pages lie in the order of time, so that those of one hour are one range:
 * first the ids of the series, then by the border at which they begin the pages, each behind the times records that it is the first to name.
 */
export class Stripe {
  #groups: WrittenGroup[] = [];
  #sizeBytes = 0;

  /** Bytes that wait. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(group: WrittenGroup): void {
    this.#groups.push(group);
    for (const { bytes, newRecords } of group.pages) {
      this.#sizeBytes += bytes.length;
      for (const record of newRecords) this.#sizeBytes += record.bytes.length;
    }
  }

  /** Appends all to the output, which is given to `take` now and then. Returns the groups as the index has them. */
  *flush(out: ChunkedOutput): Generator<Buffer, SegmentGroup[]> {
    const groups = this.#groups;
    const ids = groups.map((group) => appendIds(group, out));
    const offsets = new Map<WrittenPage, number>();
    const pages = groups.flatMap((group) => group.pages).sort((a, b) => a.fromMs - b.fromMs);
    for (const page of pages) {
      for (const record of page.newRecords) record.offset = out.append(record.bytes);
      offsets.set(page, out.append(page.bytes));
      yield* out.chunks();
    }
    this.#groups = [];
    this.#sizeBytes = 0;
    return groups.map((group, i) => ({
      tenant: group.tenant,
      metric: group.metric,
      seriesClass: group.seriesClass,
      firstSeries: group.firstSeries,
      series: group.ids.length,
      firstId: group.ids[0],
      lastId: group.ids[group.ids.length - 1],
      ids: ids[i],
      pages: group.pages.map((page) => placeOf(page, offsets.get(page))),
    }));
  }
}

/** Appends the ids that the index lacks. */
function appendIds({ ids }: WrittenGroup, out: ChunkedOutput): SegmentRange | undefined {
  if (ids.length <= 2) return undefined;
  const bytes = Buffer.concat(ids.slice(1, -1));
  return { offset: out.append(bytes), length: bytes.length, crc32c: crc32c(bytes) };
}

function placeOf(page: WrittenPage, offset: number | undefined): PagePlace {
  assert(offset !== undefined, 'a page of a group was appended');
  const { bytes, minTimeMs, maxTimeMs, slots, points, records } = page;
  return {
    offset,
    length: bytes.length,
    crc32c: bytes.readUInt32LE(bytes.length - 4),
    minTimeMs,
    maxTimeMs,
    slots,
    points,
    records: records.map((record) => {
      assert(record.offset > 0, 'a times record was appended with the first page that names it');
      return { offset: record.offset, length: record.bytes.length };
    }),
  };
}
