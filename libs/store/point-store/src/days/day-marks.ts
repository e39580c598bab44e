import { afterPrefix, ByteReader, ByteWriter, keyBuffer } from '@tidemark/bytes';
import { DAY_MS } from '@tidemark/model';
import type { KeyValue, KeyValueWrite } from '@tidemark/ports';
import { PREFIX } from '../keys.ts';

/** A day is closed when the watermark is so far behind its end: later points are of a further generation. */
const CLOSE_MS = DAY_MS;
const DAY_BIAS = 2 ** 31;
/** A number below every day of a valid time. */
const NO_DAY = -DAY_BIAS;
const HEAD_KEY = Uint8Array.of(PREFIX.days);

/** A day that is closed. */
export interface DayMark {
  /** UTC day, days since 1970. */
  readonly day: number;
  /** Offsets of the cuts at which it closed, ascending; one for each generation. */
  readonly cuts: readonly number[];
  /** Points of it were committed since: they are of the next generation. */
  readonly isDirty: boolean;
}

/** Which records a generation of a closed day has the points of. */
export interface DayGeneration {
  readonly day: number;
  /** Records [fromOffset, toOffset); both are 0 or of a cut. */
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** The generations of a day, ascending. */
export function generationsOf({ day, cuts }: Pick<DayMark, 'day' | 'cuts'>): DayGeneration[] {
  return cuts.map((toOffset, i) => ({ day, fromOffset: i === 0 ? 0 : cuts[i - 1], toOffset }));
}

/** What a commit means for days. */
export interface CommittedDays {
  /** Days of which it has points. */
  readonly written: ReadonlySet<number>;
  /** All days that have points, with those of the commit. */
  readonly existing: Iterable<number>;
  /** The last day that the watermark allows to close; undefined where it is not known. */
  readonly closable: number | undefined;
  /** End of the records that it has. */
  readonly offset: number;
  /** Days before it have expired. */
  readonly firstKept: number;
}

/**
 * The days of a partition that are closed, and their generations: a function of the log. A day closes at the cut at which the watermark
 * crosses a day after its end. What comes later closes with the next day, as a further generation.
 */
export class DayMarks {
  readonly #marks: ReadonlyMap<number, DayMark>;
  readonly #closedDay: number;

  constructor(marks: ReadonlyMap<number, DayMark> = new Map(), closedDay = NO_DAY) {
    this.#marks = marks;
    this.#closedDay = closedDay;
  }

  /** Loads what a database has. Throws `data_loss` for damaged bytes. */
  static async load(keyValue: KeyValue): Promise<DayMarks> {
    const marks = new Map<number, DayMark>();
    let closedDay = NO_DAY;
    for await (const { key, value } of keyValue.entries({ from: HEAD_KEY, to: afterPrefix(HEAD_KEY) })) {
      const reader = new ByteReader(value, 'a closed day');
      if (key.length === HEAD_KEY.length) closedDay = reader.signedVarint();
      else {
        const mark = readMark(dayOfKey(key), reader);
        marks.set(mark.day, mark);
      }
      if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
    }
    return new DayMarks(marks, closedDay);
  }

  /** The closed days, ascending. */
  get list(): readonly DayMark[] {
    return [...this.#marks.values()].sort((a, b) => a.day - b.day);
  }

  /** The offsets at which some days have closed, ascending, each once. */
  cutsOf(days: Iterable<number>): number[] {
    const cuts = new Set<number>();
    for (const day of days) for (const cut of this.#marks.get(day)?.cuts ?? []) cuts.add(cut);
    return [...cuts].sort((a, b) => a - b);
  }

  /** What holds after a commit, and the writes that belong to it. */
  after(commit: CommittedDays): { readonly marks: DayMarks; readonly writes: readonly KeyValueWrite[] } {
    const { written, existing, closable = this.#closedDay, offset, firstKept } = commit;
    const marks = new Map(this.#marks);
    const changed = new Set<number>();
    for (const day of written) {
      const mark = marks.get(day);
      if (mark === undefined || mark.isDirty) continue;
      marks.set(day, { ...mark, isDirty: true });
      changed.add(day);
    }
    if (closable > this.#closedDay) {
      for (const day of existing) {
        const mark = marks.get(day);
        if (day > closable || mark?.isDirty === false) continue;
        marks.set(day, { day, cuts: [...(mark?.cuts ?? []), offset], isDirty: false });
        changed.add(day);
      }
    }
    const writes: KeyValueWrite[] = [];
    for (const day of this.#marks.keys()) {
      if (day >= firstKept) continue;
      marks.delete(day);
      changed.delete(day);
      writes.push({ key: keyOfDay(day) });
    }
    for (const day of changed) {
      const mark = marks.get(day);
      if (mark !== undefined && day >= firstKept) writes.push({ key: keyOfDay(day), value: packMark(mark) });
    }
    // An era that set the watermark back lets days close again, of which only what came since is new.
    if (closable !== this.#closedDay) writes.push({ key: HEAD_KEY, value: packHead(closable) });
    return { marks: new DayMarks(marks, closable), writes };
  }
}

/** The last day that closes at a cut of this watermark, which counts in whole steps as cuts do. */
export function closableDay(watermarkMs: number, commitStepMs: number): number | undefined {
  if (!Number.isFinite(watermarkMs)) return undefined;
  const cutMs = Math.floor(watermarkMs / commitStepMs) * commitStepMs;
  return Math.floor((cutMs - CLOSE_MS) / DAY_MS) - 1;
}

/** The days that the times of a bucket are of. */
export function* daysOfBucket(bucket: number, bucketMs: number): Generator<number> {
  const last = Math.ceil(((bucket + 1) * bucketMs) / DAY_MS) - 1;
  for (let day = Math.floor((bucket * bucketMs) / DAY_MS); day <= last; day++) yield day;
}

function keyOfDay(day: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = PREFIX.days;
  key.writeUInt32BE(day + DAY_BIAS, 1);
  return key;
}

function dayOfKey(key: Uint8Array): number {
  return keyBuffer(key, 5).readUInt32BE(1) - DAY_BIAS;
}

function packHead(closedDay: number): Buffer {
  const out = new ByteWriter();
  out.signedVarint(closedDay);
  return out.take();
}

function packMark({ cuts, isDirty }: DayMark): Buffer {
  const out = new ByteWriter();
  out.varint(cuts.length);
  let before = 0;
  for (const cut of cuts) {
    out.varint(cut - before);
    before = cut;
  }
  out.u8(isDirty ? 1 : 0);
  return out.take();
}

function readMark(day: number, reader: ByteReader): DayMark {
  const count = reader.varint();
  if (count === 0 || count > reader.remaining) reader.fail(`${count} cuts of day ${day}`);
  const cuts: number[] = [];
  for (let i = 0; i < count; i++) cuts.push((cuts.at(-1) ?? 0) + reader.varint());
  const dirty = reader.u8();
  if (dirty > 1) reader.fail(`unknown state ${dirty} of day ${day}`);
  return { day, cuts, isDirty: dirty === 1 };
}
