import { expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { tableSequenceOf, tablesOf } from './manifest-edits.ts';
import { HEAD_BYTES, maskOf, WHOLE } from './record-frames.ts';

/** A manifest of these edits, each of which is one part of a block. */
function manifestOf(...edits: readonly (readonly number[])[]): Buffer {
  const parts = edits.map((edit) => {
    const part = Buffer.from([...Array<number>(HEAD_BYTES).fill(0), ...edit]);
    part.writeUInt16LE(edit.length, 4);
    part[6] = WHOLE;
    part.writeUInt32LE(maskOf(crc32c(part.subarray(6))), 0);
    return part;
  });
  return Buffer.concat(parts);
}

/** What a key of a table has behind it: sequence and kind of write. */
const SUFFIX = [1, 0, 0, 0, 0, 0, 0, 0];
const last = (sequence: number): readonly number[] => [4, sequence];
/** Table 9, or that of another number, in level 0 with 3 bytes, keys `a` to `b` of the writes from 1 to `sequence`, and another field of 2 bytes. */
const table = (sequence: number, number = 9): readonly number[] => [
  ...[103, 0, number, 3, 9, 97, ...SUFFIX, 9, 98, ...SUFFIX, 1, sequence],
  ...[5, 2, 1, 1, 1],
];
const comparator = [1, 1, 120];
const deletedTable = [6, 0, 8];
const addedField = [129, 64, 2, 4, 99];

test('the first newest write of a manifest counts, also where its tables have none', () => {
  expect(tableSequenceOf(manifestOf(addedField, [...comparator, ...last(35), ...table(0), ...table(0)]))).toBe(35);
});

test('later newest writes do not count without a table', () => {
  const edits = [last(35), [...last(50), ...deletedTable, ...table(0)], last(60)];
  expect(tableSequenceOf(manifestOf(...edits))).toBe(35);
});

test('a table counts by its own writes, not by the newest write when it was added', () => {
  expect(tableSequenceOf(manifestOf(last(35), [...last(60), ...table(41), ...table(40)], last(70)))).toBe(41);
});

test('of an edit with unknown fields the newest write counts: it may have tables', () => {
  expect(tableSequenceOf(manifestOf(last(35), [...last(60), 99, 1, ...table(41)]))).toBe(60);
});

test('an empty manifest has no table', () => {
  expect(tableSequenceOf(Buffer.alloc(0))).toBe(0);
});

const tableOf = (number: number) => ({ number, first: Buffer.from('a'), last: Buffer.from('b') });

test('tables are those that were added and not deleted, up to the last whole edit', () => {
  const whole = manifestOf([...comparator, ...table(1, 8)], table(2, 12), [...deletedTable, ...table(2, 10)]);
  expect(tablesOf(whole)).toEqual({ tables: [10, 12].map(tableOf), end: whole.length });
  const moved = manifestOf(table(1, 8), [...deletedTable, ...table(1, 8)]);
  expect(tablesOf(moved)).toEqual({ tables: [8].map(tableOf), end: moved.length });
  const cut = Buffer.concat([whole, manifestOf(table(3, 20)).subarray(0, -1)]);
  expect(tablesOf(cut)).toEqual({ tables: [10, 12].map(tableOf), end: whole.length });
});

test('of a damaged manifest, and of one with unknown fields, no table is known', () => {
  const damaged = manifestOf(table(1), table(2));
  damaged[HEAD_BYTES + 3] ^= 1;
  expect(tablesOf(damaged)).toBe('at offset 0: its checksum is wrong');
  expect(tablesOf(manifestOf(table(1), [99, 1]))).toMatch(/^at offset \d+: an edit with a field that is not known$/);
});
