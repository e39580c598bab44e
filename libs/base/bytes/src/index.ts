export { ByteReader } from './byte-reader.ts';
export { ByteWriter } from './byte-writer.ts';
export { crc32c } from './checksum.ts';
export { afterPrefix, compareBytes, equalBytes } from './compare.ts';
export { fromHex, toHex } from './hex.ts';
export { murmur3 } from './murmur3.ts';
export { utf8Text } from './utf8-text.ts';
export type { VarintSource } from './varint.ts';
export { readVarint, signedOf } from './varint.ts';
