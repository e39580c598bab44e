import { expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { tableSequenceOf } from './manifest-edits.ts';
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

const last = (sequence: number): readonly number[] => [4, sequence];
/** Table 9 in level 0 with 3 bytes, keys `a` to `b` of the writes from 1 to `sequence`, and another field of 2 bytes. */
const table = (sequence: number): readonly number[] => [103, 0, 9, 3, 1, 97, 1, 98, 1, sequence, 5, 2, 1, 1, 1];
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
