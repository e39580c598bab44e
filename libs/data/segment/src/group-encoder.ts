import {
  BODY_BYTES_LIMIT,
  lowerBound,
  PAGE_TIMES_LIMIT,
  type PageWriter,
  recordNumbersOf,
  SharedTimes,
  TimesWriter,
} from '@tidemark/page';
import { assert } from '@tidemark/ports';
import { CUT_POINTS, cutHours, DAY_HOURS, HOUR_MS, weightOf } from './day-cut.ts';
import type { SegmentHead } from './segment-format.ts';
import type { SegmentSeries, SeriesPart } from './segment-series.ts';

/** Points of a page at most, except for those of its last slot. A sketch counts as many as its bytes. */
const PAGE_POINTS = 2 * CUT_POINTS;
/** Bytes of RAM of what is known of times: with more of them all are forgotten, and written again. */
const TIMES_BYTES = 16 * 2 ** 20;
/** Numbers of times records are below it. */
const RECORD_NUMBERS = 2 ** 48;
/** The size of a sketch before it, a varint, at most. */
const SKETCH_SIZE_BYTES = 4;

/** A times record of a segment that is being written. */
export interface WrittenRecord {
  readonly bytes: Uint8Array;
  /** In the segment; 0 until it has a place. */
  offset: number;
}

/** A page of a segment that is being written. */
export interface WrittenPage {
  readonly bytes: Buffer;
  /** The border of the day at which it begins. */
  readonly fromMs: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly slots: number;
  readonly points: number;
  /** Those that it has times in, and those of them that no page before has named: they are written with it. */
  readonly records: readonly WrittenRecord[];
  readonly newRecords: readonly WrittenRecord[];
}

/** Points of a series within the borders of a page, [at, to) of a part: what was written of them is before `at`. */
interface Rest {
  readonly series: number;
  readonly part: SeriesPart;
  at: number;
  readonly to: number;
}

/** Writes the points of groups as pages, which are cut at borders of the day. */
export class GroupEncoder {
  readonly #writer: PageWriter;
  readonly #dayStartMs: number;
  readonly #source: Pick<SegmentHead, 'fromOffset' | 'toOffset'>;
  readonly #times: TimesWriter;
  /** By number, as long as pages may get times of them. */
  readonly #records = new Map<number, WrittenRecord>();
  /** Those of them that no page has named. A page has the times of a record itself where it does not name it. */
  readonly #unnamed = new Set<WrittenRecord>();
  #points = 0;
  #weight = 0;

  constructor(writer: PageWriter, dayStartMs: number, source: Pick<SegmentHead, 'fromOffset' | 'toOffset'>) {
    this.#writer = writer;
    this.#dayStartMs = dayStartMs;
    this.#source = source;
    this.#times = new TimesWriter({ deal: 0, originMs: dayStartMs }, 0, RECORD_NUMBERS);
  }

  /** The pages of a group whose first series has this number. Each series has its points in the order of map epochs, then of time. */
  *encode(group: readonly SegmentSeries[], firstSeries: number): Generator<WrittenPage> {
    // A page that was not finished is what an error has left.
    this.#begin();
    const hours = cutHours(group, this.#dayStartMs);
    const epochs = [...new Set(group.flatMap(({ parts }) => parts.map(({ mapEpoch }) => mapEpoch)))];
    for (const mapEpoch of epochs.sort((a, b) => a - b)) {
      for (let hour = 0; hour < DAY_HOURS; hour += hours) {
        const fromMs = this.#dayStartMs + hour * HOUR_MS;
        const rests = restsOf(group, firstSeries, mapEpoch, fromMs, fromMs + hours * HOUR_MS);
        yield* this.#pagesOf(rests, mapEpoch, fromMs);
      }
    }
    if (this.#times.sizeBytes > TIMES_BYTES) {
      this.#times.forget();
      this.#records.clear();
      this.#unnamed.clear();
    }
  }

  *#pagesOf(all: readonly Rest[], mapEpoch: number, fromMs: number): Generator<WrittenPage> {
    for (let rests = all; rests.length > 0; rests = rests.filter(({ at, to }) => at < to)) {
      for (const rest of rests) {
        if (this.#weight >= PAGE_POINTS) yield this.#finish(mapEpoch, fromMs);
        this.#add(rest);
      }
      yield this.#finish(mapEpoch, fromMs);
    }
  }

  /** Adds as many points of a series as a page can have. */
  #add(rest: Rest): void {
    const { series, part, at } = rest;
    const end = pieceEnd(rest);
    const { timesMs, values, sketches } = part;
    if (sketches !== undefined) {
      this.#writer.addSketches(series, this.#writer.times.add(timesMs, at, end), sketches.slice(at, end));
    } else {
      assert(values !== undefined, 'a part has values or sketches');
      this.#writer.addValues(series, this.#classOf(timesMs, at, end), values, at, end);
    }
    rest.at = end;
    this.#points += end - at;
    this.#weight += weightOf(part, at, end);
  }

  #classOf(timesMs: Float64Array, from: number, to: number): number {
    const classes = this.#writer.times;
    const shared = new SharedTimes(timesMs.subarray(from, to));
    // Regular times are a start and a step.
    if (shared.stepMs >= 0) return classes.addRegular(timesMs[from], shared.stepMs, to - from);
    return classes.addShared(shared, this.#times.placeOf(shared));
  }

  #finish(mapEpoch: number, fromMs: number): WrittenPage {
    const { times, slots } = this.#writer;
    const { minTimeMs, maxTimeMs } = times;
    const points = this.#points;
    const bytes = this.#writer.finish({ mapEpoch, ...this.#source });
    for (const record of this.#times.take()) {
      const written = { bytes: record.bytes, offset: 0 };
      this.#records.set(record.number, written);
      this.#unnamed.add(written);
    }
    const records = recordNumbersOf(bytes).map((number) => {
      const record = this.#records.get(number);
      assert(record !== undefined, `times record ${number} was made`);
      return record;
    });
    const newRecords = records.filter((record) => this.#unnamed.delete(record));
    this.#begin();
    return { bytes, fromMs, minTimeMs, maxTimeMs, slots, points, records, newRecords };
  }

  #begin(): void {
    this.#writer.clear();
    this.#points = 0;
    this.#weight = 0;
  }
}

/** The points that series of a group have in [fromMs, toMs), of batches of one map epoch. */
function restsOf(
  group: readonly SegmentSeries[],
  firstSeries: number,
  mapEpoch: number,
  fromMs: number,
  toMs: number,
): Rest[] {
  const rests: Rest[] = [];
  group.forEach(({ parts }, i) => {
    const part = parts.find((one) => one.mapEpoch === mapEpoch);
    if (part === undefined) return;
    const { timesMs } = part;
    const at = lowerBound(timesMs, fromMs, 0, timesMs.length);
    const to = lowerBound(timesMs, toMs, at, timesMs.length);
    if (at < to) rests.push({ series: firstSeries + i, part, at, to });
  });
  return rests;
}

/** Where the points end that one page can have of the rest. */
function pieceEnd({ part: { sketches }, at, to }: Rest): number {
  const end = Math.min(to, at + PAGE_TIMES_LIMIT);
  if (sketches === undefined) return end;
  let size = 0;
  for (let i = at; i < end; i++) {
    size += sketches[i].length + SKETCH_SIZE_BYTES;
    if (size > BODY_BYTES_LIMIT && i > at) return i;
  }
  return end;
}
