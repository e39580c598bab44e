import { ByteWriter, crc32c } from '@tidemark/bytes';
import { writeValues } from '@tidemark/columns';
import { assert } from '@tidemark/ports';
import { BODY, ENTRY_BYTES, HAS_EXCEPTIONS } from './column-entry.ts';
import {
  BODY_BYTES_LIMIT,
  CLASSES,
  EXCEPTION_BITS,
  EXCEPTION_RAW,
  PAGE_SLOTS_LIMIT,
  PAGE_TIMES_LIMIT,
  PAGE_VERSION,
  type PageSource,
} from './page-format.ts';
import type { PageKernel } from './page-kernel.ts';
import { writeRecordNumbers } from './page-summary.ts';
import { writeSeriesRuns } from './series-runs.ts';
import { TimeClasses } from './time-classes.ts';

const COLUMN_BYTES = 8 * (PAGE_TIMES_LIMIT + 16);
/** A column with more exceptions than an eighth of its values is stored as blocks. */
const EXCEPTION_SHARE = 8;

/**
 * Writes a page: the points of up to 256 series, each with the times of its class. The same slots in the same order give
 * the same bytes. It works in `kernel`'s memory from `base` on.
 */
export class PageWriter {
  readonly #kernel: PageKernel;
  readonly #source: number;
  readonly #copy: number;
  readonly #scratch: number;
  readonly #table: number;
  readonly #bodies: number;
  #end: number;
  readonly #series = new Uint32Array(PAGE_SLOTS_LIMIT);
  readonly #classOf = new Uint8Array(PAGE_SLOTS_LIMIT);
  #slots = 0;
  readonly times = new TimeClasses();
  readonly #exceptions = new ByteWriter();
  readonly #blocks = new ByteWriter();
  readonly #out = new ByteWriter();

  constructor(kernel: PageKernel, base = kernel.start) {
    this.#kernel = kernel;
    this.#source = base;
    this.#copy = this.#source + COLUMN_BYTES;
    this.#scratch = this.#copy + COLUMN_BYTES;
    this.#table = this.#scratch + COLUMN_BYTES;
    this.#bodies = this.#table + PAGE_SLOTS_LIMIT * 4;
    this.#end = this.#bodies;
    kernel.reserve(this.#bodies);
  }

  /** The address at which `addColumn` expects values: room for `PAGE_TIMES_LIMIT`, and 15 behind them. */
  get columnAt(): number {
    return this.#source;
  }

  /** The first address of the kernel's memory behind what the writer uses, until the next slot is added. */
  get freeAt(): number {
    return (this.#end + 15) & ~15;
  }

  get slots(): number {
    return this.#slots;
  }

  /** Adds values [from, to) of a series, one for each time of the class. */
  addValues(
    series: number,
    timeClass: number,
    values: Float64Array<ArrayBuffer>,
    from: number,
    to = from + this.times.countOf(timeClass),
  ): void {
    this.#kernel.floats.set(values.subarray(from, to), this.#source / 8);
    this.addColumn(series, timeClass, to - from);
  }

  /** Adds the first `count` values at `columnAt`, one for each time of the class. */
  addColumn(series: number, timeClass: number, count: number): void {
    assert(count === this.times.countOf(timeClass), `${count} values of a class of ${this.times.countOf(timeClass)}`);
    const kernel = this.#kernel;
    kernel.reserve(this.#end + 8 * count + 64);
    const entry = this.#beginSlot(series, timeClass);
    let flag = 0;
    if (kernel.loops.copyColumn(this.#source, count, this.#copy) !== 0) {
      if (!this.#takeExceptions(count)) {
        this.#addBlocks(entry, count);
        return;
      }
      flag = HAS_EXCEPTIONS;
    }
    const end = kernel.loops.encodeColumn(this.#copy, count, this.#scratch, entry, this.#end);
    if (end === 0) {
      this.#addBlocks(entry, count);
      return;
    }
    if (flag !== 0) {
      kernel.bytes[entry] |= flag;
      this.#writeExceptions(count);
    }
    this.#end = end;
  }

  /** Adds the packed sketches of a series, one for each time of the class: at most `BODY_BYTES_LIMIT` with their sizes. */
  addSketches(series: number, timeClass: number, payloads: readonly Uint8Array[]): void {
    assert(payloads.length === this.times.countOf(timeClass), 'one sketch for each time of the class');
    const entry = this.#beginSlot(series, timeClass);
    const blocks = this.#blocks;
    blocks.reset();
    for (const payload of payloads) blocks.varint(payload.length);
    for (const payload of payloads) blocks.bytes(payload);
    this.#writeLongBody(entry, BODY.sketches);
  }

  /** The page; the writer is empty again. */
  finish({ mapEpoch, fromOffset, toOffset }: PageSource): Buffer {
    assert(this.#slots > 0, 'a page has at least one slot');
    const { times } = this;
    const recordNumbers = times.chooseRecords();
    const out = this.#out;
    out.reset();
    out.u8(PAGE_VERSION);
    out.varint(mapEpoch);
    out.varint(fromOffset);
    out.varint(toOffset - fromOffset);
    out.varint(this.#slots);
    out.signedVarint(times.minTimeMs);
    out.varint(times.maxTimeMs - times.minTimeMs);
    writeRecordNumbers(recordNumbers, out);
    writeSeriesRuns(this.#series.subarray(0, this.#slots), out);
    times.write(out);
    this.#writeClasses(out);
    const { bytes } = this.#kernel;
    out.bytes(bytes.subarray(this.#table, this.#table + this.#slots * ENTRY_BYTES));
    out.bytes(bytes.subarray(this.#bodies, this.#end));
    out.bytes(this.#exceptions.view());
    out.u32(crc32c(out.view()));
    this.clear();
    return out.takeApart();
  }

  clear(): void {
    this.times.clear();
    this.#exceptions.reset();
    this.#slots = 0;
    this.#end = this.#bodies;
  }

  /** Returns the address of the slot's entry. */
  #beginSlot(series: number, timeClass: number): number {
    const slot = this.#slots++;
    assert(slot < PAGE_SLOTS_LIMIT, `more than ${PAGE_SLOTS_LIMIT} slots`);
    this.#series[slot] = series;
    this.#classOf[slot] = timeClass;
    return this.#table + slot * ENTRY_BYTES;
  }

  /** Replaces values that are not decimals in the copy by their neighbours; false where they are too many. */
  #takeExceptions(count: number): boolean {
    const { floats } = this.#kernel;
    const at = this.#copy / 8;
    let found = 0;
    let before = firstOrdinary(floats, at, at + count);
    for (let i = at; i < at + count; i++) {
      if (!isSpecial(floats[i])) {
        before = floats[i];
        continue;
      }
      found++;
      floats[i] = before;
    }
    floats[at + count] = floats[at + count - 1];
    return found * EXCEPTION_SHARE <= count;
  }

  /** Writes the values that the copy lacks, from the source. */
  #writeExceptions(count: number): void {
    const { bytes, floats } = this.#kernel;
    const bits = new BigUint64Array(bytes.buffer, this.#source, count);
    const out = this.#exceptions;
    let found = 0;
    for (let i = 0; i < count; i++) if (isSpecial(floats[this.#source / 8 + i])) found++;
    out.varint(found);
    let next = 0;
    for (let i = 0; i < count; i++) {
      if (!isSpecial(floats[this.#source / 8 + i])) continue;
      out.varint(i - next);
      next = i + 1;
      const code = EXCEPTION_BITS.indexOf(bits[i]);
      out.u8(code < 0 ? EXCEPTION_RAW : code);
      if (code < 0) out.bytes(bytes.subarray(this.#source + 8 * i, this.#source + 8 * i + 8));
    }
  }

  #addBlocks(entry: number, count: number): void {
    this.#blocks.reset();
    writeValues(this.#kernel.floats, this.#source / 8, this.#source / 8 + count, this.#blocks);
    this.#writeLongBody(entry, BODY.blocks);
  }

  /** Takes what is in `#blocks` for the slot's body. Its length has 20 bits: 4 of them in the place of the exponent. */
  #writeLongBody(entry: number, kind: number): void {
    const body = this.#blocks.view();
    const { length } = body;
    assert(length <= BODY_BYTES_LIMIT, `a body of ${length} bytes (limit: ${BODY_BYTES_LIMIT})`);
    this.#kernel.reserve(this.#end + length);
    const { bytes } = this.#kernel;
    bytes[entry] = kind | ((length >> 16) << 3);
    bytes[entry + 1] = length & 0xff;
    bytes[entry + 2] = (length >> 8) & 0xff;
    bytes.set(body, this.#end);
    this.#end += length;
  }

  #writeClasses(out: ByteWriter): void {
    const classOf = this.#classOf.subarray(0, this.#slots);
    if (this.times.size === 1) {
      out.u8(CLASSES.one);
    } else if (classOf.every((timeClass, slot) => timeClass === slot)) {
      out.u8(CLASSES.own);
    } else {
      out.u8(CLASSES.listed);
      out.bytes(classOf);
    }
  }
}

/** No decimal with any exponent: -0, NaN and the infinities. */
function isSpecial(value: number): boolean {
  return value - value !== 0 || Object.is(value, -0);
}

function firstOrdinary(values: Float64Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (!isSpecial(values[i])) return values[i];
  return 0;
}
