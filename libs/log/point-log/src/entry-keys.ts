import { ByteWriter, keyBuffer } from '@tidemark/bytes';

/**
 * First bytes of the keys of the entries that every consumer of `points` stores (docs/formats/point-log.md). A
 * consumer's own entries have other first bytes: its meta `01`, and the rest `08` to `1f`.
 */
export const ENTRY = {
  lane: 0x02,
  client: 0x03,
  dictionary: 0x04,
  series: 0x05,
  metric: 0x06,
  gap: 0x07,
  intervals: 0x20,
} as const;

/** Prefix, an empty lane, a zero, and three numbers. */
const MIN_DICTIONARY_KEY_BYTES = 14;

/** Builds the key [prefix, number as four bytes]. */
export function numberKey(prefix: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = prefix;
  key.writeUInt32BE(number, 1);
  return key;
}

/** Returns the number of a key of `numberKey`. */
export function numberOfKey(key: Uint8Array): number {
  return keyBuffer(key, 5).readUInt32BE(1);
}

/** Builds the key [prefix, text]. */
export function textKey(prefix: number, text: string): Buffer {
  return Buffer.concat([Uint8Array.of(prefix), Buffer.from(text, 'latin1')]);
}

/** Builds the key [gap, offset as six bytes]. */
export function gapKey(offset: number): Buffer {
  const key = Buffer.allocUnsafe(7);
  key[0] = ENTRY.gap;
  key.writeUIntBE(offset, 1, 6);
  return key;
}

export function offsetOfGapKey(key: Uint8Array): number {
  return keyBuffer(key, 7).readUIntBE(1, 6);
}

/** Builds the key [dictionary, lane key, 0, epoch, dictionary, firstRef]. */
export function dictionaryKey(lane: string, epoch: number, dictionary: number, firstRef: number): Buffer {
  const out = new ByteWriter(80);
  out.bytes(textKey(ENTRY.dictionary, lane));
  out.u8(0);
  for (const number of [epoch, dictionary, firstRef]) {
    out.reserve(4).writeUInt32BE(number, out.length);
    out.advance(4);
  }
  return out.take();
}

export function readDictionaryKey(key: Uint8Array): {
  lane: string;
  epoch: number;
  dictionary: number;
  firstRef: number;
} {
  const bytes = keyBuffer(key, MIN_DICTIONARY_KEY_BYTES);
  const at = bytes.length - 12;
  return {
    lane: bytes.toString('latin1', 1, at - 1),
    epoch: bytes.readUInt32BE(at),
    dictionary: bytes.readUInt32BE(at + 4),
    firstRef: bytes.readUInt32BE(at + 8),
  };
}
