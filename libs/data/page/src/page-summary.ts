import type { ByteWriter } from '@tidemark/bytes';
import { ColumnReader, TIME_LIMIT_MS } from '@tidemark/columns';
import { PAGE_RECORDS_LIMIT, PAGE_SLOTS_LIMIT, PAGE_VERSION, type PageSource } from './page-format.ts';

/** What the beginning of a page says of the whole of it. */
export interface PageSummary extends PageSource {
  readonly slots: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Numbers of the times records that it has times in. */
  readonly recordNumbers: readonly number[];
}

/** Bytes of the longest summary: seven varints, and one for each times record and their number. */
const SUMMARY_BYTES = 9 * (8 + PAGE_RECORDS_LIMIT);

/** Numbers of times records are below it: keys have six bytes of them. */
const NUMBER_LIMIT = 2 ** 48;
const NONE: readonly number[] = [];

const headReader = new ColumnReader('page');

/**
 * Numbers of the times records that have to be read before a page: of its beginning, before its checksum is checked. Throws
 * `data_loss` for bytes of anything else.
 */
export function recordNumbersOf(bytes: Uint8Array): readonly number[] {
  headReader.open(bytes.subarray(0, SUMMARY_BYTES));
  return readSummary(headReader).recordNumbers;
}

/** Reads the summary, and leaves `reader` behind it. */
export function readSummary(reader: ColumnReader): PageSummary {
  const version = reader.u8();
  if (version !== PAGE_VERSION) reader.fail(`version ${version}, this program reads ${PAGE_VERSION}`);
  const mapEpoch = reader.varint();
  const fromOffset = reader.varint();
  const toOffset = fromOffset + reader.varint();
  const slots = reader.count(PAGE_SLOTS_LIMIT, 'slots');
  if (slots === 0) reader.fail('a page without slots');
  const minTimeMs = reader.signedVarint();
  const maxTimeMs = minTimeMs + reader.varint();
  if (minTimeMs <= -TIME_LIMIT_MS || maxTimeMs >= TIME_LIMIT_MS) reader.fail('a time beyond 2^51 milliseconds');
  return {
    mapEpoch,
    fromOffset,
    toOffset,
    slots,
    minTimeMs,
    maxTimeMs,
    recordNumbers: readRecordNumbers(reader),
  };
}

/** Writes how many times records a page needs, then their numbers: the first, and the distance of each to the one before. */
export function writeRecordNumbers(numbers: readonly number[], out: ByteWriter): void {
  out.varint(numbers.length);
  let before = 0;
  for (const number of numbers) {
    out.signedVarint(number - before);
    before = number;
  }
}

function readRecordNumbers(reader: ColumnReader): readonly number[] {
  const count = reader.count(PAGE_RECORDS_LIMIT, 'times records');
  if (count === 0) return NONE;
  const numbers: number[] = [];
  let number = 0;
  for (let i = 0; i < count; i++) {
    number += reader.signedVarint();
    if (number < 0 || number >= NUMBER_LIMIT) reader.fail(`a times record of number ${number}`);
    numbers.push(number);
  }
  return numbers;
}
