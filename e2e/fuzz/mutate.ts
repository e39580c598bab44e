import { below, type Random } from '@tidemark/ports';

/** What mutations are made of. */
export interface Material {
  readonly random: Random;
  /** Inputs that parts are taken from. */
  readonly pool: readonly Uint8Array[];
  readonly tokens: readonly Buffer[];
  readonly maxBytes: number;
}

type Mutator = (input: Buffer, material: Material) => Buffer;

/** Numbers at which lengths and counts are compared. */
const EDGES = [0, 1, 2, 127, 128, 255, 256, 16_383, 16_384, 65_535, 65_536, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const MAX_MUTATIONS = 6;
const MAX_SPAN_BYTES = 64;
const MAX_COPIES = 20;
const SHORT_PART_BYTES = 12;

const MUTATORS: readonly Mutator[] = [
  flipBit,
  setByte,
  setByte,
  addToByte,
  removeSpan,
  repeatSpan,
  repeatSpan,
  moveSpan,
  truncate,
  insertToken,
  insertToken,
  replaceByToken,
  setFixed,
  setVarint,
  insertPart,
  splice,
  insertZeros,
];

/** Returns an input that differs from one of the pool by one to some mutations. */
export function mutated(material: Material): Buffer {
  const { random, pool, maxBytes } = material;
  let input: Buffer = Buffer.from(pool[below(random, pool.length)]);
  for (let left = 1 + below(random, MAX_MUTATIONS); left > 0; left--) {
    input = MUTATORS[below(random, MUTATORS.length)](input, material);
  }
  return input.length > maxBytes ? input.subarray(0, maxBytes) : input;
}

/** Returns the ends of a part of an input, of any size, or of all of it. */
export function partOf(input: Buffer, random: Random): [from: number, to: number] {
  if (random.next() < 0.2) return [0, input.length];
  const from = below(random, input.length);
  const left = input.length - from;
  return [from, from + 1 + below(random, random.next() < 0.5 ? Math.min(left, SHORT_PART_BYTES) : left)];
}

/** Repeats `input[from, to)` in its place until the whole has `bytes`. */
export function repeated(input: Buffer, from: number, to: number, bytes: number): Buffer {
  const part = input.subarray(from, to);
  const missing = Math.max(0, bytes - input.length);
  const filling = Buffer.alloc(Math.ceil(missing / part.length) * part.length, part);
  return Buffer.concat([input.subarray(0, to), filling, input.subarray(to)]);
}

function flipBit(input: Buffer, { random }: Material): Buffer {
  if (input.length > 0) input[below(random, input.length)] ^= 1 << below(random, 8);
  return input;
}

function setByte(input: Buffer, { random }: Material): Buffer {
  if (input.length > 0) input[below(random, input.length)] = below(random, 256);
  return input;
}

function addToByte(input: Buffer, { random }: Material): Buffer {
  if (input.length > 0) input[below(random, input.length)] += below(random, 2) === 0 ? 1 : -1;
  return input;
}

function removeSpan(input: Buffer, { random }: Material): Buffer {
  const [from, to] = spanOf(input, random);
  return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
}

function repeatSpan(input: Buffer, { random, maxBytes }: Material): Buffer {
  const [from, to] = spanOf(input, random);
  if (from === to) return input;
  return repeated(input, from, to, Math.min(maxBytes, input.length + (to - from) * (1 + below(random, MAX_COPIES))));
}

function moveSpan(input: Buffer, { random }: Material): Buffer {
  const [from, to] = spanOf(input, random);
  const rest = Buffer.concat([input.subarray(0, from), input.subarray(to)]);
  return inserted(rest, below(random, rest.length + 1), input.subarray(from, to));
}

function truncate(input: Buffer, { random }: Material): Buffer {
  return input.subarray(0, below(random, input.length + 1));
}

function insertToken(input: Buffer, material: Material): Buffer {
  const { random } = material;
  return inserted(input, below(random, input.length + 1), tokenOf(material));
}

function replaceByToken(input: Buffer, material: Material): Buffer {
  const [from, to] = spanOf(input, material.random);
  return Buffer.concat([input.subarray(0, from), tokenOf(material), input.subarray(to)]);
}

/** Overwrites an integer of fixed size by an edge, in one of both byte orders. */
function setFixed(input: Buffer, { random }: Material): Buffer {
  const size = [1, 2, 4][below(random, 3)];
  if (input.length < size) return input;
  const value = (edge(random) + below(random, 3) - 1) & (2 ** (8 * size) - 1);
  const at = below(random, input.length - size + 1);
  for (let i = 0; i < size; i++) input[at + i] = value >>> (8 * i);
  if (below(random, 2) === 0) input.subarray(at, at + size).reverse();
  return input;
}

/** Replaces what may be a varint. */
function setVarint(input: Buffer, { random }: Material): Buffer {
  if (input.length === 0) return input;
  const at = below(random, input.length);
  let end = at;
  while (end < input.length - 1 && end < at + 9 && input[end] >= 0x80) end++;
  const bytes: number[] = [];
  let rest = BigInt(edge(random)) << (below(random, 4) === 0 ? 31n : 0n);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.concat([input.subarray(0, at), Buffer.from(bytes), input.subarray(end + 1)]);
}

function insertPart(input: Buffer, { random, pool }: Material): Buffer {
  const other = Buffer.from(pool[below(random, pool.length)]);
  const [from, to] = spanOf(other, random, other.length);
  return inserted(input, below(random, input.length + 1), other.subarray(from, to));
}

function splice(input: Buffer, { random, pool }: Material): Buffer {
  const other = pool[below(random, pool.length)];
  const head = input.subarray(0, below(random, input.length + 1));
  return Buffer.concat([head, other.subarray(below(random, other.length + 1))]);
}

function insertZeros(input: Buffer, { random }: Material): Buffer {
  return inserted(input, below(random, input.length + 1), Buffer.alloc(1 + below(random, 16), below(random, 2) * 255));
}

function inserted(input: Buffer, at: number, part: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, at), part, input.subarray(at)]);
}

function tokenOf({ random, tokens }: Material): Buffer {
  if (tokens.length === 0) return Buffer.from([below(random, 256)]);
  return tokens[below(random, tokens.length)];
}

function edge(random: Random): number {
  return EDGES[below(random, EDGES.length)];
}

function spanOf(input: Buffer, random: Random, maxBytes = MAX_SPAN_BYTES): [from: number, to: number] {
  if (input.length === 0) return [0, 0];
  const from = below(random, input.length);
  return [from, from + 1 + below(random, Math.min(maxBytes, input.length - from))];
}
