import { deserializeBitmap, serializeBitmap } from '@tidemark/bitmap';
import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { Day } from './calendar.ts';
import type { DaySeries } from './metric-table.ts';
import { openValue, sealValue } from './store-layout.ts';

const HASH_WORDS = 4;

/** The stored value of a day: its serial number, its facts by number and by hash. */
export function encodeDay({ serial, seen, hash }: Day): Buffer {
  const writer = new ByteWriter();
  writer.varint(serial);
  writer.varint(seen);
  for (const word of hash.sums) writer.u32(word);
  return sealValue(writer.take());
}

/** Decodes the value of a day. Throws `data_loss`. */
export function decodeDay(number: number, sealed: Uint8Array): Day {
  const what = `tag store day ${number}`;
  const reader = new ByteReader(openValue(sealed, what), what);
  const day = new Day(number, reader.varint());
  day.seen = reader.varint();
  day.hash.load(Array.from({ length: HASH_WORDS }, () => reader.u32()));
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return day;
}

/** The stored value of a metric's part of a day: the serial number of the day, and the series. */
export function encodeDaySeries({ whole, bitmap }: DaySeries): Buffer {
  const writer = new ByteWriter();
  writer.varint(whole.serial);
  writer.bytes(serializeBitmap(bitmap));
  return sealValue(writer.take());
}

/** Decodes a metric's part of a day. Throws `data_loss`. */
export function decodeDaySeries(
  sealed: Uint8Array,
  what: string,
): { readonly serial: number; readonly bitmap: ReturnType<typeof deserializeBitmap> } {
  const reader = new ByteReader(openValue(sealed, what), what);
  const serial = reader.varint();
  return { serial, bitmap: deserializeBitmap(reader.bytes(reader.remaining)) };
}
