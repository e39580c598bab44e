import { below, type Random } from '@tidemark/ports';
import { partOf, repeated } from './mutate.ts';

/** Inputs of any size that repeat one part of an input. */
export interface Growth {
  /** Returns an input of about this size, or `input` itself when nothing can be repeated. */
  readonly of: (bytes: number) => Buffer;
  /** The part, for a person. */
  readonly what: string;
}

/** Repeats the bytes of a random part in their place. */
export function growthInPlace(input: Buffer, random: Random): Growth {
  const [from, to] = partOf(input, random);
  return growthOf(input, from, to);
}

export function growthOf(input: Buffer, from: number, to: number): Growth {
  const part = JSON.stringify(input.toString('latin1', from, to));
  return {
    of: (bytes) => repeated(input, from, to, bytes),
    what: `bytes ${from} to ${to} of the input, ${part}, repeated`,
  };
}

/** A field of a message: its ends, and where its content begins if it has a length. */
interface Field {
  readonly from: number;
  readonly contentFrom: number | undefined;
  readonly to: number;
}

/**
 * Repeats a random field of a random message within a protobuf message, and corrects the lengths of the messages around it.
 * `skipped` bytes before the message stay as they are.
 */
export function protobufGrowth(input: Buffer, random: Random, skipped = 0): Growth {
  const around: Field[] = [];
  let [from, to] = [skipped, input.length];
  for (;;) {
    const fields = fieldsOf(input, from, to);
    if (fields.length === 0) return growthInPlace(input, random);
    const field = fields[below(random, fields.length)];
    if (
      field.contentFrom !== undefined &&
      random.next() < 0.7 &&
      fieldsOf(input, field.contentFrom, field.to).length > 0
    ) {
      around.push(field);
      [from, to] = [field.contentFrom, field.to];
      continue;
    }
    const { of, what } = growthOf(input, field.from, field.to);
    return { of: (bytes) => withLengths(input, around, of(bytes)), what: `${what} as a field` };
  }
}

/** Updates the lengths of the fields `around`, after bytes within all of them were added. */
function withLengths(input: Buffer, around: readonly Field[], longer: Buffer): Buffer {
  const added = longer.length - input.length;
  const parts: Buffer[] = [];
  let at = 0;
  let extra = 0;
  // The innermost length changes those around it.
  const lengths = new Map<Field, Buffer>();
  for (const field of [...around].reverse()) {
    const contentFrom = field.contentFrom ?? field.from;
    const length = varint(field.to - contentFrom + added + extra);
    lengths.set(field, length);
    extra += length.length - (contentFrom - lengthAt(input, field.from));
  }
  for (const field of around) {
    const lengthFrom = lengthAt(input, field.from);
    parts.push(longer.subarray(at, lengthFrom), lengths.get(field) ?? Buffer.alloc(0));
    at = field.contentFrom ?? lengthFrom;
  }
  parts.push(longer.subarray(at));
  return Buffer.concat(parts);
}

/** Returns where the length of a field begins, behind its tag. */
function lengthAt(input: Buffer, from: number): number {
  let at = from;
  while (input[at] >= 0x80) at++;
  return at + 1;
}

/** Reads the fields of what may be a message; none when it is not one. */
function fieldsOf(input: Buffer, from: number, to: number): Field[] {
  const fields: Field[] = [];
  for (let at = from; at < to; ) {
    const tag = readVarint(input, at, to);
    if (tag === undefined || tag.value < 8) return [];
    const end = endOf(input, tag, to);
    if (end === undefined || end.to > to) return [];
    fields.push({ from: at, ...end });
    at = end.to;
  }
  return fields;
}

interface Varint {
  readonly value: number;
  readonly end: number;
}

function endOf(
  input: Buffer,
  { value: tag, end: at }: Varint,
  to: number,
): { readonly contentFrom: number | undefined; readonly to: number } | undefined {
  const wireType = tag % 8;
  if (wireType === 1) return { contentFrom: undefined, to: at + 8 };
  if (wireType === 5) return { contentFrom: undefined, to: at + 4 };
  if (wireType !== 0 && wireType !== 2) return undefined;
  const number = readVarint(input, at, to);
  if (number === undefined) return undefined;
  if (wireType === 0) return { contentFrom: undefined, to: number.end };
  return { contentFrom: number.end, to: number.end + number.value };
}

function readVarint(input: Buffer, from: number, to: number): Varint | undefined {
  let value = 0;
  for (let at = from, scale = 1; at < Math.min(to, from + 8); at++, scale *= 0x80) {
    value += (input[at] & 0x7f) * scale;
    if (input[at] < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
