import type { ByteWriter } from '@tidemark/bytes';
import {
  ColumnReader,
  copyColumn,
  readTimeBlocks,
  TIME_LIMIT_MS,
  type TimeRange,
  writeTimeBlocks,
} from '@tidemark/columns';
import { PAGE_RECORDS_LIMIT, PAGE_TIMES_LIMIT, TIMES } from './page-format.ts';
import { assertTime, checkedStep, type SharedTimes } from './shared-times.ts';
import type { TimeClass } from './time-class.ts';
import { type PlacedRecord, RECORD_COLUMNS_LIMIT, type RecordedPlace, type TimesRecord } from './times-record.ts';

interface OwnClass extends TimeClass {
  /** Where the times lie in the column of all classes, or -1: those of most regular ones are not kept. */
  start: number;
  /** Where the mini-blocks of a column lie in the page, or the times record, that was read, [at, end); -1 where there are none. */
  readonly at: number;
  readonly end: number;
  /** The times record that has the times, where it was read. */
  readonly record?: TimesRecord;
  /** Where they are in the records of the page that is being written: the record's index × `RECORD_COLUMNS_LIMIT` + the column. */
  recordedAt?: number;
  /** The times themselves, which the page has if it does without the record. */
  readonly shared?: SharedTimes;
}

const NO_TIMES = new Float64Array(0);
const NO_BYTES = new Uint8Array(0);
const NO_BLOCKS = { at: -1, end: -1 };
/** Bytes of RAM of a class in addition to its times, and of one that a times record has: the reference to its object. */
const CLASS_BYTES = 64;
const REFERENCE_BYTES = 8;
/** The times of a class that were asked for last, and of which class they are if they were decoded. */
const lastTimes = new Float64Array(PAGE_TIMES_LIMIT);
let decoded: OwnClass | undefined;
const columnReader = new ColumnReader('page');
const unusedRange: TimeRange = { minTimeMs: 0, maxTimeMs: 0 };
/** The times of all classes of the page that is being read: memory that the next one uses again, unless it is much. */
let readColumn: Float64Array = NO_TIMES;
const READ_COLUMN_TIMES = 65_536;

/** Times for which room is made at once, for each byte that is not read yet. */
const TIMES_OF_BYTE = 4;

/** A class is written as a part of another one when it lacks at most as many of its times as it has. */
const SUBSET_SHARE = 2;
/**
 * A page uses a record in addition to its fullest one if it has at least this share of the record's columns: so it reads few times of
 * other series.
 */
const USED_SHARE = 1 / 8;
/** Kinds of classes that the first varint of one can have. */
const TIMES_KINDS = 8;
/** Below it the start of a shifted class fits into the varint with the kind. */
const SHIFT_LIMIT_MS = 2 ** 50;

/**
 * The different columns of time that the slots of one page have. Many slots share a class: the series of one sender
 * arrive together.
 */
export class TimeClasses {
  /**
   * Times of classes that are not regular, and of regular ones that others are a part of. Of a page that was read, only those of
   * subsets: columns are decoded when they are asked for, since they would take ten times the memory of the page.
   */
  #timesMs: Float64Array = NO_TIMES;
  /** The page that was read. */
  #bytes: Uint8Array = NO_BYTES;
  #length = 0;
  readonly #classes: OwnClass[] = [];
  /** How many of them are of times records. */
  #recorded = 0;
  /** The times records of the page that is being written, and its classes by where they are in these. */
  #records: PlacedRecord[] = [];
  #byPlace: Map<number, number> | undefined;
  /** The newest class by its first time and its count: senders in step have equal ones. Pages that are read need none. */
  #byStart: Map<number, number> | undefined;
  minTimeMs = Number.POSITIVE_INFINITY;
  maxTimeMs = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#classes.length;
  }

  clear(): void {
    this.#length = 0;
    this.#bytes = NO_BYTES;
    this.#classes.length = 0;
    this.#recorded = 0;
    this.#records.length = 0;
    this.#byPlace?.clear();
    this.#byStart?.clear();
    this.minTimeMs = Number.POSITIVE_INFINITY;
    this.maxTimeMs = Number.NEGATIVE_INFINITY;
  }

  /** Adds a class of times [from, to): 1 to `PAGE_TIMES_LIMIT`, non-decreasing integers. Returns its number. */
  add(timesMs: Float64Array, from: number, to: number): number {
    const stepMs = checkedStep(timesMs, from, to);
    const count = to - from;
    if (stepMs >= 0) return this.addRegular(timesMs[from], stepMs, count);
    const key = keyOf(timesMs[from], count);
    const known = this.#byStart?.get(key);
    if (known !== undefined && this.#isEqual(this.#classes[known], timesMs, from, to)) return known;
    const start = this.#begin(count);
    copyColumn(timesMs, from, count, this.#timesMs, start);
    this.#length += count;
    return this.#push(key, { count, firstMs: timesMs[from], lastMs: timesMs[to - 1], stepMs, start, ...NO_BLOCKS });
  }

  /** Adds a class of times that a times record has in this place, or none. Returns its number. */
  addShared(shared: SharedTimes, place: RecordedPlace | undefined): number {
    const { timesMs, stepMs } = shared;
    if (place === undefined) return this.add(timesMs, 0, timesMs.length);
    const { record, column } = place;
    let index = this.#records.lastIndexOf(record);
    if (index < 0) index = this.#records.push(record) - 1;
    const recordedAt = index * RECORD_COLUMNS_LIMIT + column;
    this.#byPlace ??= new Map();
    const known = this.#byPlace.get(recordedAt);
    if (known !== undefined) return known;
    this.#byPlace.set(recordedAt, this.#classes.length);
    const [firstMs, lastMs] = [timesMs[0], timesMs[timesMs.length - 1]];
    this.#recorded++;
    return this.#push(undefined, {
      count: timesMs.length,
      firstMs,
      lastMs,
      stepMs,
      start: -1,
      ...NO_BLOCKS,
      recordedAt,
      shared,
    });
  }

  /**
   * Chooses the times records of the page, which has all of its classes: those of which it has the most columns. The times of other
   * records are in the page. Returns the numbers of the records, in the order of their first use.
   */
  chooseRecords(): readonly number[] {
    const all = this.#records;
    const kept = this.#fullestRecords();
    if (kept.length < all.length) {
      const indexes = all.map((record) => kept.indexOf(record));
      for (const one of this.#classes) if (one.recordedAt !== undefined) this.#choose(one, one.recordedAt, indexes);
      this.#records = kept;
      this.#byPlace?.clear();
    }
    return kept.map(({ number }) => number);
  }

  #fullestRecords(): PlacedRecord[] {
    const all = this.#records;
    if (all.length < 2) return all;
    const used = new Uint16Array(all.length);
    for (const { recordedAt } of this.#classes) {
      if (recordedAt !== undefined) used[Math.floor(recordedAt / RECORD_COLUMNS_LIMIT)]++;
    }
    const fullest = [...all.keys()]
      .sort((a, b) => used[b] - used[a])
      .filter((index, i) => i === 0 || used[index] >= USED_SHARE * all[index].columns)
      .slice(0, PAGE_RECORDS_LIMIT);
    return all.filter((_, index) => fullest.includes(index));
  }

  /** Moves a recorded class to the new index of its record, or into the page where that is -1. */
  #choose(one: OwnClass, recordedAt: number, indexes: readonly number[]): void {
    const index = indexes[Math.floor(recordedAt / RECORD_COLUMNS_LIMIT)];
    if (index >= 0) {
      one.recordedAt = index * RECORD_COLUMNS_LIMIT + (recordedAt % RECORD_COLUMNS_LIMIT);
      return;
    }
    one.recordedAt = undefined;
    this.#recorded--;
    const { count, stepMs, shared } = one;
    if (stepMs >= 0 || shared === undefined) return;
    one.start = this.#begin(count);
    copyColumn(shared.timesMs, 0, count, this.#timesMs, one.start);
    this.#length += count;
  }

  /** Adds a class of `count` times, `stepMs` apart, an integer. Returns its number. */
  addRegular(firstMs: number, stepMs: number, count: number): number {
    const key = keyOf(firstMs, count);
    const known = this.#byStart?.get(key);
    if (known !== undefined && isRegular(this.#classes[known], firstMs, stepMs, count)) return known;
    const lastMs = firstMs + stepMs * (count - 1);
    assertTime(firstMs);
    assertTime(lastMs);
    return this.#push(key, { count, firstMs, lastMs, stepMs, start: -1, ...NO_BLOCKS });
  }

  countOf(timeClass: number): number {
    return this.#classes[timeClass].count;
  }

  /** Bytes of RAM for the classes and their times, without the times records. */
  get sizeBytes(): number {
    const own = this.#classes.length - this.#recorded;
    return this.#timesMs.byteLength + CLASS_BYTES * own + REFERENCE_BYTES * this.#recorded;
  }

  /** The times of a class, as a view that the next call, also of another page, may change. */
  timesOf(timeClass: number): Float64Array {
    const one = this.#classes[timeClass];
    const { start, count, firstMs, stepMs } = one;
    if (start >= 0) return this.#timesMs.subarray(start, start + count);
    if (stepMs < 0) return this.#decoded(one);
    decoded = undefined;
    for (let i = 0; i < count; i++) lastTimes[i] = firstMs + i * stepMs;
    return lastTimes.subarray(0, count);
  }

  /** Copies the times of a class to `target`, from index `to` on. */
  copyTimes(timeClass: number, target: Float64Array, to: number): void {
    const one = this.#classes[timeClass];
    const { start, count, firstMs, stepMs } = one;
    if (start >= 0) copyColumn(this.#timesMs, start, count, target, to);
    else if (stepMs < 0) this.#decode(one, target, to);
    else for (let i = 0; i < count; i++) target[to + i] = firstMs + i * stepMs;
  }

  /** How many times of a class lie before `timeMs`. */
  countBefore(timeClass: number, timeMs: number): number {
    const one = this.#classes[timeClass];
    if (timeMs <= one.firstMs) return 0;
    if (timeMs > one.lastMs) return one.count;
    if (one.stepMs > 0) return Math.ceil((timeMs - one.firstMs) / one.stepMs);
    const timesMs = this.timesOf(timeClass);
    let low = 0;
    let high = one.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (timesMs[middle] < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The times of a column of a page that was read. */
  #decoded(one: OwnClass): Float64Array {
    if (decoded !== one) {
      decoded = undefined;
      this.#decode(one, lastTimes, 0);
      decoded = one;
    }
    return lastTimes.subarray(0, one.count);
  }

  #decode({ at, end, count, record }: OwnClass, target: Float64Array, to: number): void {
    const { bytes, originMs } = record ?? { bytes: this.#bytes, originMs: this.minTimeMs };
    columnReader.open(bytes.subarray(at, end));
    readTimeBlocks(columnReader, count, originMs, target, to, unusedRange);
  }

  /** A class, which stays valid as long as no other one is added. */
  at(timeClass: number): TimeClass {
    return this.#classes[timeClass];
  }

  /** Writes all classes, with their number before them. */
  write(out: ByteWriter): void {
    const classes = this.#classes;
    out.varint(classes.length);
    for (let i = 0; i < classes.length; ) {
      const run = this.#recordedRun(i);
      if (run > 0) {
        out.varint(run * TIMES_KINDS + TIMES.recorded);
        out.varint(classes[i].recordedAt ?? 0);
        i += run;
        continue;
      }
      this.#writeOne(classes[i], classes[i - 1], out);
      i++;
    }
  }

  /** How many classes from number `from` on are of consecutive columns of one times record. */
  #recordedRun(from: number): number {
    const first = this.#classes[from].recordedAt;
    if (first === undefined) return 0;
    const most = RECORD_COLUMNS_LIMIT - (first % RECORD_COLUMNS_LIMIT);
    let run = 1;
    while (run < most && this.#classes[from + run]?.recordedAt === first + run) run++;
    return run;
  }

  #writeOne(one: OwnClass, before: OwnClass | undefined, out: ByteWriter): void {
    const { start, count, stepMs } = one;
    const startMs = one.firstMs - this.minTimeMs;
    if (stepMs >= 0) {
      if (before?.stepMs === stepMs && before.count === count && startMs < SHIFT_LIMIT_MS) {
        out.varint(startMs * TIMES_KINDS + TIMES.shifted);
        return;
      }
      out.varint(count * TIMES_KINDS + TIMES.regular);
      out.varint(stepMs);
      out.varint(startMs);
      return;
    }
    const parent = this.#parentOf(one);
    if (parent >= 0) {
      out.varint(parent * TIMES_KINDS + TIMES.subset);
      this.#writeSubset(one, this.#classes[parent], out);
      return;
    }
    out.varint(count * TIMES_KINDS + TIMES.column);
    writeTimeBlocks(this.#timesMs, start, start + count, this.minTimeMs, out);
  }

  /** An earlier class that has all times of this one and not many more, or -1. Only the first and the last are tried. */
  #parentOf(one: OwnClass): number {
    const own = this.#classes.indexOf(one);
    for (const candidate of [own - 1, 0]) {
      if (candidate < 0 || candidate >= own) continue;
      const parent = this.#classes[candidate];
      if (parent.recordedAt !== undefined) continue;
      this.#startOf(parent);
      if (parent.count > SUBSET_SHARE * one.count || parent.count < one.count) continue;
      if (this.#isSubset(one, parent)) return candidate;
    }
    return -1;
  }

  #isSubset(one: OwnClass, parent: OwnClass): boolean {
    let at = parent.start;
    const end = parent.start + parent.count;
    for (let i = one.start; i < one.start + one.count; i++, at++) {
      while (at < end && this.#timesMs[at] < this.#timesMs[i]) at++;
      if (at === end || this.#timesMs[at] !== this.#timesMs[i]) return false;
    }
    return true;
  }

  #writeSubset(one: OwnClass, parent: OwnClass, out: ByteWriter): void {
    const bits = new Uint8Array(Math.ceil(parent.count / 8));
    let at = 0;
    for (let i = one.start; i < one.start + one.count; i++, at++) {
      while (this.#timesMs[parent.start + at] < this.#timesMs[i]) at++;
      bits[at >> 3] |= 1 << (at & 7);
    }
    out.bytes(bits);
  }

  #isEqual({ start, count, stepMs }: OwnClass, timesMs: Float64Array, from: number, to: number): boolean {
    if (count !== to - from || stepMs >= 0) return false;
    for (let i = 0; i < count; i++) if (this.#timesMs[start + i] !== timesMs[from + i]) return false;
    return true;
  }

  /**
   * Reads what `write` wrote, of a page from `minTimeMs` to `maxTimeMs` with so many slots: `reader` reads `bytes`, of which a
   * reference is kept, and of the page's times records.
   */
  read(
    reader: ColumnReader,
    bytes: Uint8Array,
    { slots, minTimeMs, maxTimeMs }: { slots: number; minTimeMs: number; maxTimeMs: number },
    records: readonly TimesRecord[],
  ): void {
    this.clear();
    const classes = reader.count(slots, 'classes of times');
    if (classes === 0) reader.fail('no class of times');
    this.#bytes = bytes;
    this.#timesMs = readColumn;
    try {
      while (this.#classes.length < classes) {
        this.#readNext(reader, minTimeMs, classes - this.#classes.length, records);
      }
    } finally {
      this.#keepSubsets();
    }
    if (this.minTimeMs !== minTimeMs || this.maxTimeMs !== maxTimeMs) {
      reader.fail(`times from ${this.minTimeMs} to ${this.maxTimeMs}, not from ${minTimeMs} to ${maxTimeMs}`);
    }
  }

  /** Keeps what can't be decoded from the page alone of the times that were read. */
  #keepSubsets(): void {
    const all = this.#timesMs;
    if (all.length <= READ_COLUMN_TIMES) readColumn = all;
    let length = 0;
    for (const { at, stepMs, count } of this.#classes) if (stepMs < 0 && at < 0) length += count;
    const kept = length === 0 ? NO_TIMES : new Float64Array(length);
    let to = 0;
    for (const one of this.#classes) {
      if (one.stepMs < 0 && one.at < 0) {
        copyColumn(all, one.start, one.count, kept, to);
        one.start = to;
        to += one.count;
      } else if (one.record === undefined) {
        one.start = -1;
      }
    }
    this.#timesMs = kept;
    this.#length = length;
  }

  /** Reads the first of the `left` classes that are left, or several of a times record. */
  #readNext(reader: ColumnReader, minTimeMs: number, left: number, records: readonly TimesRecord[]): void {
    const head = reader.varint();
    const kind = head % TIMES_KINDS;
    const argument = Math.floor(head / TIMES_KINDS);
    if (kind > TIMES.recorded) reader.fail(`unknown kind ${kind} of times`);
    if (kind === TIMES.recorded) {
      if (argument === 0 || argument > left)
        reader.fail(`a run of ${argument} recorded classes (classes left: ${left})`);
      this.#readRecorded(reader, argument, records);
      return;
    }
    if (kind === TIMES.shifted) {
      const before = this.#classes.at(-1);
      if (before === undefined || before.stepMs < 0) reader.fail('a shifted class without regular times before it');
      this.#pushRegular(reader, minTimeMs + argument, before.stepMs, before.count);
      return;
    }
    if (kind === TIMES.subset) {
      if (argument >= this.#classes.length) reader.fail(`a part of class ${argument}, which is not before it`);
      const parent = this.#classes[argument];
      if (parent.record !== undefined) reader.fail(`a part of class ${argument}, which is recorded`);
      this.#readSubset(reader, parent);
      return;
    }
    if (argument === 0 || argument > PAGE_TIMES_LIMIT) {
      reader.fail(`a class of ${argument} times (limit: ${PAGE_TIMES_LIMIT})`);
    }
    if (kind === TIMES.regular) {
      const stepMs = reader.varint();
      this.#pushRegular(reader, minTimeMs + reader.varint(), stepMs, argument);
      return;
    }
    // The others are likely as long. No memory is taken that the bytes do not justify.
    const start = this.#begin(argument, Math.min(argument * left, argument + TIMES_OF_BYTE * reader.remaining));
    const range: TimeRange = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
    const at = reader.position;
    readTimeBlocks(reader, argument, minTimeMs, this.#timesMs, start, range);
    for (let i = start + 1; i < start + argument; i++) {
      if (this.#timesMs[i] < this.#timesMs[i - 1]) reader.fail('times descend');
    }
    this.#pushRead(start, argument, { at, end: reader.position });
  }

  #readRecorded(reader: ColumnReader, run: number, records: readonly TimesRecord[]): void {
    const first = reader.varint();
    const index = Math.floor(first / RECORD_COLUMNS_LIMIT);
    const column = first % RECORD_COLUMNS_LIMIT;
    if (index >= records.length) reader.fail(`times of record ${index} of ${records.length}`);
    const { columns } = records[index];
    if (column + run > columns.length) reader.fail(`column ${column + run - 1} of times of ${columns.length}`);
    for (let i = column; i < column + run; i++) this.#push(undefined, columns[i]);
    this.#recorded += run;
  }

  #pushRegular(reader: ColumnReader, firstMs: number, stepMs: number, count: number): void {
    const lastMs = firstMs + stepMs * (count - 1);
    if (!(lastMs < TIME_LIMIT_MS)) reader.fail('a time beyond 2^51 milliseconds');
    this.#push(undefined, { count, firstMs, lastMs, stepMs, start: -1, ...NO_BLOCKS });
  }

  #readSubset(reader: ColumnReader, parent: OwnClass): void {
    const from = this.#startOf(parent);
    const start = this.#begin(parent.count);
    let count = 0;
    for (let at = 0; at < parent.count; at += 8) {
      const byte = reader.u8();
      for (let bit = 0; bit < 8 && at + bit < parent.count; bit++) {
        if (byte & (1 << bit)) this.#timesMs[start + count++] = this.#timesMs[from + at + bit];
      }
    }
    if (count === 0) reader.fail('a class without times');
    this.#pushRead(start, count, NO_BLOCKS);
  }

  #pushRead(start: number, count: number, blocks: Pick<OwnClass, 'at' | 'end'>): void {
    const [firstMs, lastMs] = [this.#timesMs[start], this.#timesMs[start + count - 1]];
    this.#length = start + count;
    this.#push(undefined, { count, firstMs, lastMs, stepMs: -1, start, ...blocks });
  }

  /** Where the times of a class lie. */
  #startOf(one: OwnClass): number {
    if (one.start >= 0) return one.start;
    const { firstMs, stepMs, count } = one;
    const start = this.#begin(count);
    for (let i = 0; i < count; i++) this.#timesMs[start + i] = firstMs + i * stepMs;
    this.#length += count;
    one.start = start;
    return start;
  }

  /** Makes room for `count` times, of `expected` that come at once, and returns where they begin. */
  #begin(count: number, expected = count): number {
    if (this.#length + count > this.#timesMs.length) {
      const larger = new Float64Array(this.#length === 0 ? expected : 2 * (this.#length + count));
      larger.set(this.#timesMs);
      this.#timesMs = larger;
    }
    return this.#length;
  }

  #push(key: number | undefined, one: OwnClass): number {
    const timeClass = this.#classes.push(one) - 1;
    if (key !== undefined) {
      this.#byStart ??= new Map();
      this.#byStart.set(key, timeClass);
    }
    this.minTimeMs = Math.min(this.minTimeMs, one.firstMs);
    this.maxTimeMs = Math.max(this.maxTimeMs, one.lastMs);
    return timeClass;
  }
}

/** Whether a class has these times. */
function isRegular(one: TimeClass, firstMs: number, stepMs: number, count: number): boolean {
  return one.stepMs === stepMs && one.count === count && one.firstMs === firstMs;
}

/** Not exact from 2^53 on, for times after 2039: classes may share a key. */
function keyOf(firstMs: number, count: number): number {
  return firstMs * (PAGE_TIMES_LIMIT + 1) + count;
}
