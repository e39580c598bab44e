import { ByteWriter } from '@tidemark/bytes';

/**
 * Keys of a partition's key-value store: one byte of what it is, then big-endian numbers so that keys sort as the
 * numbers do (docs/formats/point-store.md).
 */
export const PREFIX = {
  meta: 0x01,
  lane: 0x02,
  client: 0x03,
  dictionary: 0x04,
  series: 0x05,
  metric: 0x06,
  gap: 0x07,
  bucketHash: 0x08,
  chunk: 0x10,
} as const;

export const META_KEY = Uint8Array.of(PREFIX.meta);

/** [PREFIX, …numbers as four bytes each]. */
export function numberKey(prefix: number, ...numbers: readonly number[]): Buffer {
  const key = Buffer.allocUnsafe(1 + numbers.length * 4);
  key[0] = prefix;
  numbers.forEach((number, i) => {
    key.writeUInt32BE(number, 1 + i * 4);
  });
  return key;
}

/** [PREFIX, text]. */
export function textKey(prefix: number, text: string): Buffer {
  return Buffer.concat([Uint8Array.of(prefix), Buffer.from(text, 'latin1')]);
}

export function textOfKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset + 1, key.byteLength - 1).toString('latin1');
}

/** [dictionary, lane key, epoch, dictionary, firstRef]. */
export function dictionaryKey(lane: string, epoch: number, dictionary: number, firstRef: number): Buffer {
  const out = new ByteWriter(80);
  out.bytes(dictionaryPrefix(lane));
  for (const number of [epoch, dictionary, firstRef]) {
    out.reserve(4).writeUInt32BE(number, out.length);
    out.advance(4);
  }
  return out.take();
}

/** All dictionaries of a lane start with this. */
export function dictionaryPrefix(lane: string): Buffer {
  return Buffer.concat([textKey(PREFIX.dictionary, lane), Uint8Array.of(0)]);
}

export function readDictionaryKey(key: Uint8Array): {
  lane: string;
  epoch: number;
  dictionary: number;
  firstRef: number;
} {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const at = bytes.length - 12;
  return {
    lane: bytes.toString('latin1', 1, at - 1),
    epoch: bytes.readUInt32BE(at),
    dictionary: bytes.readUInt32BE(at + 4),
    firstRef: bytes.readUInt32BE(at + 8),
  };
}

const CHUNK_KEY_BYTES = 1 + 4 + 4 + 4 + 6;

/** [chunk, bucket, metric, series, sequence]; bucket in bucket widths since the epoch, sequence of six bytes. */
export function chunkKey(bucket: number, metric: number, series: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(CHUNK_KEY_BYTES);
  key[0] = PREFIX.chunk;
  key.writeUInt32BE(bucket, 1);
  key.writeUInt32BE(metric, 5);
  key.writeUInt32BE(series, 9);
  key.writeUIntBE(sequence, 13, 6);
  return key;
}

export function readChunkKey(key: Uint8Array): { bucket: number; metric: number; series: number; sequence: number } {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return {
    bucket: bytes.readUInt32BE(1),
    metric: bytes.readUInt32BE(5),
    series: bytes.readUInt32BE(9),
    sequence: bytes.readUIntBE(13, 6),
  };
}
