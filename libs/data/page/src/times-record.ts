import { crc32c } from '@tidemark/bytes';
import { ColumnReader, readTimeBlocks, TIME_LIMIT_MS, type TimeRange } from '@tidemark/columns';
import { CHECKSUM_BYTES, PAGE_TIMES_LIMIT } from './page-format.ts';
import { stepOf } from './shared-times.ts';
import type { TimeClass } from './time-class.ts';

/** Version of the format, the first byte of a times record (docs/formats/times-record.md). */
export const TIMES_RECORD_VERSION = 1;
export const RECORD_COLUMNS_LIMIT = 256;
/** Bytes of RAM of a column in addition to its mini-blocks: what the heap grows by for each of 200,000 such objects. */
const COLUMN_BYTES = 128;

/** A times record that is being written, or was. */
export interface PlacedRecord {
  readonly number: number;
  /** Columns that it has so far. */
  readonly columns: number;
}

/** Where a times record has a column of times. */
export interface RecordedPlace {
  readonly record: PlacedRecord;
  readonly column: number;
}

/** What is known of a column of a times record, in the form that pages have of their own classes. */
interface RecordedClass extends TimeClass {
  /** No times are kept: `record` has their mini-blocks at [at, end). */
  readonly start: -1;
  readonly at: number;
  readonly end: number;
  readonly record: TimesRecord;
}

const reader = new ColumnReader('times record');
const decoded = new Float64Array(PAGE_TIMES_LIMIT);

/**
 * Columns of time that several pages have. Each was decoded to check it, and is decoded again when its times are asked for. Bytes
 * may be hostile: those of anything else are a TidemarkError of code `data_loss`.
 */
export class TimesRecord {
  readonly bytes: Uint8Array;
  /** The deal that it was written for, and its number there. */
  readonly deal: number;
  readonly number: number;
  readonly originMs: number;
  readonly columns: readonly RecordedClass[];

  /** Reads a record, of which it keeps a reference. */
  constructor(bytes: Uint8Array) {
    const end = bytes.length - CHECKSUM_BYTES;
    reader.open(bytes);
    if (end < 1) reader.fail(`${bytes.length} bytes are too few for a times record`);
    reader.position = end;
    if (reader.u32() !== crc32c(bytes.subarray(0, end))) reader.fail('a wrong checksum');
    reader.position = 0;
    reader.end = end;
    const version = reader.u8();
    if (version !== TIMES_RECORD_VERSION) {
      reader.fail(`version ${version}, this program reads ${TIMES_RECORD_VERSION}`);
    }
    this.bytes = bytes;
    this.deal = reader.varint();
    this.number = reader.varint();
    this.originMs = reader.signedVarint();
    if (Math.abs(this.originMs) >= TIME_LIMIT_MS) reader.fail('an origin beyond 2^51 milliseconds');
    const count = reader.count(RECORD_COLUMNS_LIMIT, 'columns');
    if (count === 0) reader.fail('no column');
    this.columns = Array.from({ length: count }, () => this.#readColumn());
    if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  }

  /** Bytes of RAM. */
  get sizeBytes(): number {
    return this.bytes.length + COLUMN_BYTES * this.columns.length;
  }

  #readColumn(): RecordedClass {
    const count = reader.count(PAGE_TIMES_LIMIT, 'times of a column');
    if (count === 0) reader.fail('a column without times');
    const at = reader.position;
    const range: TimeRange = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
    readTimeBlocks(reader, count, this.originMs, decoded, 0, range);
    for (let i = 1; i < count; i++) if (decoded[i] < decoded[i - 1]) reader.fail('times descend');
    const { minTimeMs: firstMs, maxTimeMs: lastMs } = range;
    const stepMs = stepOf(decoded, 0, count);
    return { count, firstMs, lastMs, stepMs, start: -1, at, end: reader.position, record: this };
  }
}
