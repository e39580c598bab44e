import type { ByteWriter } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import type { ColumnReader } from './column-reader.ts';
import { readIntegerBlock, writeIntegerBlock } from './integer-block.ts';
import { measureIntegers } from './integer-measure.ts';
import { BLOCK, blockCount, blockLength, LAST_BLOCK_VALUES, readBlockHead } from './mini-block.ts';

const RUNS = 0;
const BLOCKS = 1;

/** Average length from which on runs are chosen; they then take less than one or two bits per point. */
const WORTHWHILE_RUN = 16;
const REF_LIMIT = 0xffff_ffff;

const block = new Float64Array(LAST_BLOCK_VALUES);

/** Writes the first `count` (at least one) refs, which must ascend; equal ones may follow each other. */
export function writeRefs(refs: Uint32Array, count: number, out: ByteWriter): void {
  let runs = 1;
  let before = refs[0] | 0;
  for (let i = 1; i < count; i++) {
    // Integer arithmetic is modulo 2^32, where 0 follows the highest ref.
    const ref = refs[i] | 0;
    if (ref !== ((before + 1) | 0) || ref === 0) {
      assert(refs[i] >= refs[i - 1], 'refs must ascend');
      runs++;
    }
    before = ref;
  }
  if (runs === 1) {
    out.u8(RUNS);
    out.varint(refs[0]);
    out.varint(count);
  } else if (runs * WORTHWHILE_RUN <= count) {
    writeRuns(refs, count, out);
  } else {
    writeBlocks(refs, count, out);
  }
}

/** Writes each run of consecutive refs as its distance from the run before and its length. The last length follows. */
function writeRuns(refs: Uint32Array, count: number, out: ByteWriter): void {
  out.u8(RUNS);
  let start = 0;
  let last = 0;
  while (start < count) {
    let end = start + 1;
    while (end < count && refs[end] === refs[end - 1] + 1) end++;
    out.varint(refs[start] - last);
    out.varint(end - start);
    last = refs[end - 1];
    start = end;
  }
}

function writeBlocks(refs: Uint32Array, count: number, out: ByteWriter): void {
  out.u8(BLOCKS);
  for (let at = 0; at < count; ) {
    const length = blockLength(count - at);
    for (let i = 0; i < length; i++) block[i] = refs[at + i];
    measureIntegers(block, length);
    writeIntegerBlock(block, length, 0, count - at, out);
    at += length;
  }
}

/** Reads `count` refs into `target` from `from` on. Returns the last, which is the highest. */
export function readRefs(reader: ColumnReader, count: number, target: Uint32Array, from: number): number {
  const mode = readMode(reader);
  const end = from + count;
  let last = 0;
  for (let at = from; at < end; ) {
    if (mode === RUNS) {
      const ref = readRun(reader, last, end - at);
      const next = at + runLength;
      for (let i = at, offset = ref - at; i < next; i++) target[i] = i + offset;
      last = ref + runLength - 1;
      at = next;
    } else {
      last = readBlock(reader, end - at, last);
      for (let i = 0; i < blockCount; i++) target[at + i] = block[i];
      at += blockCount;
    }
  }
  return last;
}

/** Skips `count` refs with every check of `readRefs`. Returns the last, which is the highest. */
export function inspectRefs(reader: ColumnReader, count: number): number {
  const mode = readMode(reader);
  let last = 0;
  for (let rest = count; rest > 0; ) {
    if (mode === RUNS) {
      last = readRun(reader, last, rest) + runLength - 1;
      rest -= runLength;
    } else {
      last = readBlock(reader, rest, last);
      rest -= blockCount;
    }
  }
  return last;
}

function readMode(reader: ColumnReader): number {
  const mode = reader.u8();
  if (mode > BLOCKS) reader.fail(`unknown kind of ref column ${mode}`);
  return mode;
}

/** Number of points of the run that `readRun` read last. */
let runLength = 0;

/** Reads the length of a run into `runLength` and returns its first ref. */
function readRun(reader: ColumnReader, last: number, rest: number): number {
  const ref = last + reader.varint();
  runLength = reader.count(rest, 'refs in a run');
  if (runLength === 0) reader.fail('an empty run of refs');
  if (ref + runLength - 1 > REF_LIMIT) reader.fail('a ref beyond 32 bits');
  return ref;
}

/** Reads a mini-block of `blockCount` refs into `block`; they must not descend from `last` on. Returns its last. */
function readBlock(reader: ColumnReader, rest: number, last: number): number {
  const head = readBlockHead(reader, rest);
  const count = blockCount;
  if (head > BLOCK.dictionary) reader.fail(`block kind ${head} has no refs`);
  readIntegerBlock(reader, head, count, block, 0);
  let before = last;
  for (let i = 0; i < count; i++) {
    const ref = block[i];
    if (ref < before) reader.fail('refs descend');
    before = ref;
  }
  if (before > REF_LIMIT) reader.fail('a ref beyond 32 bits');
  return before;
}
