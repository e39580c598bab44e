import type { SlicedWork } from '@tidemark/ports';
import { topLevelFields } from './top-level-fields.ts';

/** Bytes that are decoded in one piece, unless one field has more. */
const PIECE_BYTES = 16 * 1024;
/** Elements of a list that are encoded in one piece. */
const PIECE_ELEMENTS = 64;
/** Cost in units of the cost of a point, which is about 100 ns. */
const ELEMENT_COST = 16;
const BYTES_PER_COST = 8;

/** The codec of one message. */
export interface MessageCodec {
  readonly encode: (message: unknown) => Buffer;
  readonly decode: (bytes: Buffer) => unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** Encodes a message, long lists in pieces: joined encodings of messages are that of their merged fields. */
export function* encodedInPieces({ encode, decode }: MessageCodec, message: unknown): SlicedWork<Buffer, number> {
  const lists = Object.entries(message as Fields).filter(isLongList);
  if (lists.length === 0) return encode(message);
  const rest = Object.fromEntries(lists.map(([name]) => [name, []]));
  const pieces = [encode({ ...(message as Fields), ...rest })];
  const empty = decode(Buffer.alloc(0)) as Fields;
  for (const [name, list] of lists) {
    for (let from = 0; from < list.length; from += PIECE_ELEMENTS) {
      const piece = encode({ ...empty, [name]: list.slice(from, from + PIECE_ELEMENTS) });
      pieces.push(piece);
      yield PIECE_ELEMENTS * ELEMENT_COST + piece.length / BYTES_PER_COST;
    }
  }
  return Buffer.concat(pieces);
}

/** Decodes a message in pieces of its fields, whose lists are joined. Throws what the codec throws for wrong bytes. */
export function* decodedInPieces({ decode }: Pick<MessageCodec, 'decode'>, bytes: Buffer): SlicedWork<unknown, number> {
  if (bytes.length <= PIECE_BYTES) return decode(bytes);
  const empty = decode(Buffer.alloc(0)) as Fields;
  const merged: Record<string, unknown> = { ...empty };
  let start = 0;
  let end = 0;
  for (const field of topLevelFields(bytes)) {
    ({ end } = field);
    if (end - start < PIECE_BYTES && end < bytes.length) continue;
    merge(merged, empty, decode(bytes.subarray(start, end)) as Fields);
    yield (end - start) / BYTES_PER_COST + ((end - start) / (end - field.start)) * ELEMENT_COST;
    start = end;
  }
  // Wrong bytes end the fields early.
  if (start < bytes.length) merge(merged, empty, decode(bytes.subarray(start)) as Fields);
  return merged;
}

function isLongList(field: [string, unknown]): field is [string, readonly unknown[]] {
  return Array.isArray(field[1]) && field[1].length > PIECE_ELEMENTS;
}

/** Takes over the fields that a piece has. */
function merge(merged: Record<string, unknown>, empty: Fields, piece: Fields): void {
  for (const [name, value] of Object.entries(piece)) {
    const known = merged[name];
    if (Array.isArray(value) && Array.isArray(known)) {
      // The first list is that of `empty`.
      if (known === empty[name]) merged[name] = value;
      else for (const element of value) known.push(element);
    } else if (!isAbsent(value, empty[name])) merged[name] = value;
  }
}

/** Returns whether a field is as in an empty message. One that may be absent is present with the value 0. */
function isAbsent(value: unknown, ofEmpty: unknown): boolean {
  if (value instanceof Uint8Array && ofEmpty instanceof Uint8Array) return value.length === ofEmpty.length;
  return value === ofEmpty;
}
