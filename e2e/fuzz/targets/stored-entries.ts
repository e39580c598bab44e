import { toHex } from '@tidemark/bytes';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';

/** Bytes before each entry: size of the key (one byte), of the value (two). */
const HEAD_BYTES = 3;

/** The entries of a store as one input: each with the sizes of key and value before them. */
export function packEntries(content: Content): Buffer {
  const parts: Buffer[] = [];
  for (const [key, value] of [...content].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(key.length / 2, 0);
    head.writeUInt16LE(value.length, 1);
    parts.push(head, Buffer.from(key, 'hex'), value);
  }
  return Buffer.concat(parts);
}

/** Returns the store that an input describes. Sizes beyond the input are cut. */
export function unpackEntries(input: Buffer, sealed = (value: Buffer, _key: string): Buffer => value): MemoryKeyValue {
  const content: Content = new Map();
  for (let at = 0; at + HEAD_BYTES <= input.length; ) {
    const valueAt = at + HEAD_BYTES + input.readUInt8(at);
    const end = valueAt + input.readUInt16LE(at + 1);
    const key = toHex(input.subarray(at + HEAD_BYTES, valueAt));
    content.set(key, sealed(Buffer.from(input.subarray(valueAt, end)), key));
    at = end;
  }
  return new MemoryKeyValue(content);
}
