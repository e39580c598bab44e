import { crc32c } from '@tidemark/bytes';
import { ColumnReader } from '@tidemark/columns';
import {
  BODY,
  ENTRY_BYTES,
  EXPONENT_LIMIT,
  HAS_EXCEPTIONS,
  INTEGER_BYTES_LIMIT,
  KIND_BITS,
  shiftOf,
  WIDTH_LIMIT,
  widthOf,
} from './column-entry.ts';
import { readExceptions } from './exceptions.ts';
import { CHECKSUM_BYTES, CLASSES, PAGE_SLOTS_LIMIT } from './page-format.ts';
import { type PageSummary, readSummary } from './page-summary.ts';
import { readSeriesRuns } from './series-runs.ts';
import { TimeClasses } from './time-classes.ts';
import type { TimesRecord } from './times-record.ts';

/** The classes of the slots of a page that has one class: of nearly all pages. */
const ONE_CLASS = new Uint8Array(PAGE_SLOTS_LIMIT);

/** Returns the times record of a number; undefined where there is none. */
type RecordOf = (number: number) => TimesRecord | undefined;
const NO_RECORDS: RecordOf = () => undefined;

const reader = new ColumnReader('page');

/**
 * A page whose structure has been checked; no value is decoded. Bytes may be hostile: those of anything else are a
 * TidemarkError of code `data_loss`.
 */
export class Page implements PageSummary {
  readonly bytes: Uint8Array;
  readonly mapEpoch: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly slots: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Dense numbers of the series, one a slot. */
  readonly series: Uint32Array;
  /** The times records that it has times in, and their numbers. */
  readonly records: readonly TimesRecord[];
  readonly recordNumbers: readonly number[];
  readonly times = new TimeClasses();
  readonly #classOf: Uint8Array;
  /** Where the table of entries begins. */
  readonly table: number;
  /** Where the body of each slot begins, and where the last one ends. */
  readonly bodyAt: Positions;
  /** Where the exceptions of each slot begin, or 0; undefined where no slot has any. */
  readonly #exceptionsAt: Positions | undefined;

  /**
   * Reads a page, of which it keeps a reference, and checks its checksum. `recordOf` returns the times record of a number; it is
   * asked for those of `recordNumbersOf`. `likely` are the series of another page: most pages have those of the page before them,
   * and share the array.
   */
  constructor(bytes: Uint8Array, recordOf: RecordOf = NO_RECORDS, likely?: Uint32Array) {
    const end = bytes.length - CHECKSUM_BYTES;
    reader.open(bytes);
    if (end < 1) reader.fail(`${bytes.length} bytes are too few for a page`);
    reader.position = end;
    if (reader.u32() !== crc32c(bytes.subarray(0, end))) reader.fail('a wrong checksum');
    reader.position = 0;
    reader.end = end;
    this.bytes = bytes;
    const summary = readSummary(reader);
    const { mapEpoch, fromOffset, toOffset, slots, minTimeMs, maxTimeMs, recordNumbers } = summary;
    this.mapEpoch = mapEpoch;
    this.fromOffset = fromOffset;
    this.toOffset = toOffset;
    this.slots = slots;
    this.minTimeMs = minTimeMs;
    this.maxTimeMs = maxTimeMs;
    this.recordNumbers = recordNumbers;
    this.series = readSeriesRuns(reader, slots, likely);
    this.records = recordNumbers.map(
      (number) => recordOf(number) ?? reader.fail(`times in record ${number}, which is not there`),
    );
    this.times.read(reader, bytes, summary, this.records);
    this.#classOf = readClasses(slots, this.times.size);
    this.table = reader.take(slots * ENTRY_BYTES);
    this.bodyAt = positionsIn(bytes, slots + 1);
    for (let slot = 0; slot < slots; slot++) this.bodyAt[slot] = reader.take(this.#bodyBytes(slot));
    this.bodyAt[slots] = reader.position;
    for (let slot = 0; slot < slots; slot++) {
      if (!(bytes[this.table + slot * ENTRY_BYTES] & HAS_EXCEPTIONS)) continue;
      this.#exceptionsAt ??= positionsIn(bytes, slots);
      this.#exceptionsAt[slot] = reader.position;
      readExceptions(reader, this.countOf(slot), undefined);
    }
    if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  }

  classOf(slot: number): number {
    return this.#classOf[slot];
  }

  /** The slot's points. */
  countOf(slot: number): number {
    return this.times.countOf(this.#classOf[slot]);
  }

  /** The slot has sketches, not values. */
  hasSketches(slot: number): boolean {
    return this.kindOf(slot) === BODY.sketches;
  }

  kindOf(slot: number): number {
    return this.bytes[this.table + slot * ENTRY_BYTES] & KIND_BITS;
  }

  hasExceptions(slot: number): boolean {
    return this.#exceptionsAt !== undefined && this.#exceptionsAt[slot] > 0;
  }

  /** Puts the exceptions of a slot, which has some, in the place of its decoded values. */
  replaceExceptions(slot: number, values: BigUint64Array): void {
    reader.open(this.bytes);
    reader.position = this.#exceptionsAt?.[slot] ?? 0;
    readExceptions(reader, this.countOf(slot), values);
  }

  /** The packed sketches of a slot, as views of the page. */
  sketchesOf(slot: number): Uint8Array[] {
    const body = this.bytes.subarray(this.bodyAt[slot], this.bodyAt[slot + 1]);
    reader.open(body);
    const sizes = Array.from({ length: this.countOf(slot) }, () => reader.varint());
    const payloads = sizes.map((size) => {
      const at = reader.take(size);
      return body.subarray(at, at + size);
    });
    if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the sketches of slot ${slot}`);
    return payloads;
  }

  /** Checks the entry of a slot, and returns the bytes of its body. */
  #bodyBytes(slot: number): number {
    const at = this.table + slot * ENTRY_BYTES;
    const [head, second, third] = [this.bytes[at], this.bytes[at + 1], this.bytes[at + 2]];
    const kind = head & KIND_BITS;
    const high = (head >> 3) & 15;
    if (kind === BODY.blocks || kind === BODY.sketches) {
      if (head & HAS_EXCEPTIONS) reader.fail(`exceptions of slot ${slot}, of kind ${kind}`);
      return (high << 16) | (third << 8) | second;
    }
    if (kind > BODY.sketches) reader.fail(`unknown kind ${kind} of slot ${slot}`);
    if (high > EXPONENT_LIMIT) reader.fail(`an exponent of ${high} (limit: ${EXPONENT_LIMIT})`);
    const width = widthOf(second);
    if (width + shiftOf(second) > WIDTH_LIMIT) reader.fail(`a width of ${width} bits (limit: ${WIDTH_LIMIT})`);
    const [first, least] = [third & 15, third >> 4];
    const longest = Math.max(first, least);
    if (longest > INTEGER_BYTES_LIMIT) reader.fail(`an integer of ${longest} bytes (limit: ${INTEGER_BYTES_LIMIT})`);
    const packed = this.countOf(slot) - (kind === BODY.delta ? 1 : 0);
    return first + least + (kind === BODY.constant ? 0 : Math.ceil((packed * width) / 8));
  }
}

/** Positions in a page: nearly all pages are short enough for 16 bits. */
type Positions = Uint16Array | Uint32Array;

function positionsIn(bytes: Uint8Array, count: number): Positions {
  return bytes.length <= 0xffff ? new Uint16Array(count) : new Uint32Array(count);
}

function readClasses(slots: number, classes: number): Uint8Array {
  const how = reader.u8();
  if (how > CLASSES.listed) reader.fail(`unknown kind ${how} of a list of classes`);
  if (how === CLASSES.one) return ONE_CLASS;
  const classOf = new Uint8Array(slots);
  for (let slot = 0; slot < slots; slot++) {
    classOf[slot] = how === CLASSES.own ? slot : reader.u8();
    if (classOf[slot] >= classes) reader.fail(`slot ${slot} of class ${classOf[slot]} (classes: ${classes})`);
  }
  return classOf;
}
