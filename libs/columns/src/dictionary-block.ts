import type { ByteWriter } from '@tidemark/bytes';
import { bitWidth, packedBytes, unpackBits, varintBytes, writePacked } from './bit-packing.ts';
import type { ColumnReader } from './column-reader.ts';
import { BLOCK, DICTIONARY_VALUES, EXPONENT_SHIFT, LAST_BLOCK_VALUES } from './mini-block.ts';

const entries = new Float64Array(DICTIONARY_VALUES);
const indexes = new Uint32Array(LAST_BLOCK_VALUES);

/** Writes the integers by a dictionary, if they have few enough values for it to take less than `bits`. */
export function writeDictionaryBlock(
  integers: Float64Array,
  count: number,
  exponent: number,
  bits: number,
  out: ByteWriter,
): boolean {
  let used = 0;
  for (let i = 0; i < count; i++) {
    const value = integers[i];
    let index = 0;
    while (index < used && entries[index] !== value) index++;
    if (index === used) {
      if (used === DICTIONARY_VALUES) return false;
      entries[used++] = value;
    }
    indexes[i] = index;
  }
  const width = bitWidth(used - 1);
  let size = count * width;
  for (let i = 0; i < used; i++) size += 8 * varintBytes(entries[i]);
  if (size >= bits) return false;
  out.u8(BLOCK.dictionary | (exponent << EXPONENT_SHIFT));
  out.u8(used);
  for (let i = 0; i < used; i++) out.signedVarint(entries[i]);
  writePacked(indexes, count, width, out);
  return true;
}

/** Reads what comes after the first byte. An index beyond the entries stands for 0. */
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

/** Passes over what `readDictionaryBlock` would read, with the same checks. */
export function skipDictionaryBlock(reader: ColumnReader, count: number): void {
  reader.take(packedBytes(count, readEntries(reader)));
}

function readEntries(reader: ColumnReader): number {
  const used = reader.u8();
  if (used === 0 || used > DICTIONARY_VALUES) reader.fail(`a dictionary of ${used}, limit ${DICTIONARY_VALUES}`);
  for (let i = 0; i < used; i++) entries[i] = reader.signedVarint();
  // What an earlier block left there must not show through.
  entries.fill(0, used);
  return bitWidth(used - 1);
}
