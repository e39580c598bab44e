import type { ByteWriter } from '@tidemark/bytes';
import { bitWidth, packedBytes, unpackBits, varintBytes, writePacked } from './bit-packing.ts';
import type { ColumnReader } from './column-reader.ts';
import { BLOCK, DICTIONARY_VALUES, LAST_BLOCK_VALUES, writeBlockHead } from './mini-block.ts';

const entries = new Float64Array(DICTIONARY_VALUES);
const indexes = new Uint32Array(LAST_BLOCK_VALUES);

/** Range of integers whose entries are found by a table; a search would mispredict each of its branches. */
const TABLE_RANGE = 4096;
/** Number of values from which on a sample decides whether a dictionary is tried. */
const SAMPLED_VALUES = 64;
/** By integer minus the lowest one: a turn, and an index in the low bits. A value of another turn is not an entry. */
const table = new Int32Array(TABLE_RANGE);
const INDEX_BITS = 4;
const LAST_TURN = 2 ** 26;
let turn = 0;

/**
 * Writes the integers, which span [min, max], by a dictionary, if they have few enough distinct values for it to take
 * less than `bits`.
 */
export function writeDictionaryBlock(
  integers: Float64Array,
  count: number,
  exponent: number,
  rest: number,
  min: number,
  max: number,
  bits: number,
  out: ByteWriter,
): boolean {
  if (count >= SAMPLED_VALUES && !repeats(integers, count)) return false;
  const used = max - min < TABLE_RANGE ? indexByTable(integers, count, min) : indexBySearch(integers, count);
  if (used > DICTIONARY_VALUES) return false;
  const width = bitWidth(used - 1);
  let size = count * width;
  for (let i = 0; i < used; i++) size += 8 * varintBytes(entries[i]);
  if (size >= bits) return false;
  writeBlockHead(BLOCK.dictionary, exponent, count, rest, out);
  out.u8(used);
  for (let i = 0; i < used; i++) out.signedVarint(entries[i]);
  writePacked(indexes, count, width, out);
  return true;
}

/** True when two of a sample are equal, as two of eight nearly always are when there are few distinct values. */
function repeats(integers: Float64Array, count: number): boolean {
  const stride = count >> 3;
  for (let i = stride; i < 8 * stride; i += stride) {
    for (let j = 0; j < i; j += stride) {
      if (integers[i] === integers[j]) return true;
    }
  }
  return false;
}

/** Fills `entries` and `indexes`; returns the number of entries, or more than a dictionary holds. */
function indexByTable(integers: Float64Array, count: number, min: number): number {
  turn++;
  if (turn === LAST_TURN) {
    table.fill(0);
    turn = 1;
  }
  let used = 0;
  for (let i = 0; i < count; i++) {
    const value = integers[i];
    const slot = table[value - min];
    if (slot >>> INDEX_BITS === turn) {
      indexes[i] = slot & (DICTIONARY_VALUES - 1);
    } else {
      if (used === DICTIONARY_VALUES) return DICTIONARY_VALUES + 1;
      table[value - min] = (turn << INDEX_BITS) | used;
      indexes[i] = used;
      entries[used++] = value;
    }
  }
  return used;
}

/** Fills `entries` and `indexes` as `indexByTable` does, for integers far apart. */
function indexBySearch(integers: Float64Array, count: number): number {
  let used = 0;
  for (let i = 0; i < count; i++) {
    const value = integers[i];
    let index = 0;
    while (index < used && entries[index] !== value) index++;
    if (index === used) {
      if (used === DICTIONARY_VALUES) return DICTIONARY_VALUES + 1;
      entries[used++] = value;
    }
    indexes[i] = index;
  }
  return used;
}

/** Reads a block after its first byte. An index beyond the entries is the value 0. */
export function readDictionaryBlock(
  reader: ColumnReader,
  count: number,
  power: number,
  target: Float64Array,
  at: number,
): void {
  const width = readEntries(reader);
  for (let i = 0; i < DICTIONARY_VALUES; i++) entries[i] /= power;
  unpackBits(reader.view, reader.take(packedBytes(count, width)), count, width, indexes);
  for (let i = 0; i < count; i++) target[at + i] = entries[indexes[i]];
}

/** Skips the bytes that `readDictionaryBlock` would read, with the same checks. */
export function skipDictionaryBlock(reader: ColumnReader, count: number): void {
  reader.take(packedBytes(count, readEntries(reader)));
}

function readEntries(reader: ColumnReader): number {
  const used = reader.u8();
  if (used === 0 || used > DICTIONARY_VALUES)
    reader.fail(`a dictionary of ${used} values (limit: 1 to ${DICTIONARY_VALUES})`);
  for (let i = 0; i < used; i++) entries[i] = reader.signedVarint();
  // Clears the entries of earlier blocks.
  entries.fill(0, used);
  return bitWidth(used - 1);
}
