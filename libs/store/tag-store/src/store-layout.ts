import { ByteReader, ByteWriter, crc32c } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';

/** Kinds of entries: the first byte of each key (docs/formats/tag-store.md). */
export const PREFIX = {
  state: 0,
  journal: 1,
  day: 2,
  unknownDay: 3,
  gap: 4,
  checkpoint: 5,
  metadata: 6,
  wholeDay: 7,
} as const;
export const TAG_STORE_VERSION = 5;
/** Kinds of entries that name metrics, tags or series by numbers, which are those of a generation. */
export const NUMBERED = [PREFIX.journal, PREFIX.day, PREFIX.metadata] as const;

const CHECKSUM_BYTES = 4;
const PAIR = 2 ** 32;

export function prefixKey(prefix: number): Buffer {
  return Buffer.of(prefix);
}

/** What the keys of the entries of a kind and a generation begin with. */
export function generationKey(prefix: number, generation: number): Buffer {
  return keyOf(prefix, generation);
}

export const STATE_KEY = prefixKey(PREFIX.state);

export function journalKey(generation: number, segment: number): Buffer {
  return keyOf(PREFIX.journal, generation, segment);
}

export function dayKey(generation: number, metric: number, day: number): Buffer {
  return keyOf(PREFIX.day, generation, metric, day);
}

export function wholeDayKey(day: number): Buffer {
  return keyOf(PREFIX.wholeDay, day);
}

export function unknownDayKey(id: Uint8Array, day: number): Buffer {
  return Buffer.concat([prefixKey(PREFIX.unknownDay), id, keyOf(0, day).subarray(1)]);
}

export function gapKey(offset: number): Buffer {
  return keyOf(PREFIX.gap, Math.floor(offset / PAIR), offset % PAIR);
}

export function checkpointKey(offset: number): Buffer {
  return keyOf(PREFIX.checkpoint, Math.floor(offset / PAIR), offset % PAIR);
}

export function metadataKey(generation: number, metric: number): Buffer {
  return keyOf(PREFIX.metadata, generation, metric);
}

function keyOf(prefix: number, ...words: number[]): Buffer {
  const key = Buffer.alloc(1 + words.length * 4);
  key[0] = prefix;
  words.forEach((word, i) => {
    key.writeUInt32BE(word, 1 + i * 4);
  });
  return key;
}

/** The metric and the day of a day's key. */
export function metricAndDayOfKey(key: Uint8Array): [number, number] {
  const [, metric, day] = wordsOfKey(key, 3);
  return [metric, day];
}

/** The offset in the key of a gap or checkpoint. */
export function offsetOfKey(key: Uint8Array): number {
  const [high, low] = wordsOfKey(key, 2);
  return high * PAIR + low;
}

/** The segment in the key of a part of the journal, or the metric in that of metadata. */
export function numberOfKey(key: Uint8Array): number {
  return wordsOfKey(key, 2)[1];
}

/** The day in the key of a day of all metrics. */
export function dayOfKey(key: Uint8Array): number {
  return wordsOfKey(key, 1)[0];
}

function wordsOfKey(key: Uint8Array, count: number): number[] {
  checkKey(key, 1 + count * 4);
  const view = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return Array.from({ length: count }, (_, i) => view.readUInt32BE(1 + i * 4));
}

export function unknownDayOfKey(key: Uint8Array): { id: Uint8Array; day: number } {
  checkKey(key, 5 + ID_BYTES);
  const view = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return { id: view.subarray(1, 1 + ID_BYTES), day: view.readUInt32BE(1 + ID_BYTES) };
}

function checkKey(key: Uint8Array, size: number): void {
  if (key.length !== size) {
    throw new TidemarkError('data_loss', `tag store: a key of ${key.length} bytes, expected ${size}`, { key: key[0] });
  }
}

/** The stored form of a value: its CRC-32C, then the value. */
export function sealValue(value: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(CHECKSUM_BYTES + value.length);
  sealed.writeUInt32LE(crc32c(value), 0);
  sealed.set(value, CHECKSUM_BYTES);
  return sealed;
}

/** The value in a stored form, as a view. Throws `data_loss` when the checksum is wrong. */
export function openValue(sealed: Uint8Array, what: string): Buffer {
  const reader = new ByteReader(sealed, what);
  const expected = reader.u32();
  const value = reader.bytes(reader.remaining);
  const actual = crc32c(value);
  if (actual !== expected) reader.fail(`checksum ${actual}, expected ${expected}`);
  return value;
}

/** A gap as stored: why its records were skipped, and how many. */
export interface StoredGap {
  readonly reason: string;
  readonly records: number;
}

/** No UTF-8 text begins with this byte: a gap of one record is its reason alone. */
const MANY_RECORDS = 0xff;

export function encodeGap({ reason, records }: StoredGap): Buffer {
  const writer = new ByteWriter();
  if (records > 1) {
    writer.u8(MANY_RECORDS);
    writer.varint(records);
  }
  writer.bytes(Buffer.from(reason));
  return sealValue(writer.take());
}

export function decodeGap(sealed: Uint8Array): StoredGap {
  const value = openValue(sealed, 'tag store gap');
  if (value[0] !== MANY_RECORDS) return { reason: value.toString(), records: 1 };
  const reader = new ByteReader(value, 'tag store gap', 1);
  const records = reader.varint();
  return { reason: reader.bytes(reader.remaining).toString(), records };
}

/** The state entry of a commit: the position in the log, and the numbers of other entries that a reader must find. */
export interface StoredState {
  readonly nextOffset: number;
  /** The generation of the numbers: entries of any other one are not part of the store. */
  readonly generation: number;
  readonly tags: number;
  readonly metrics: number;
  readonly series: number;
  /** (series, day) pairs over all days of all metrics. */
  readonly daysOfSeries: number;
  /** Days with series. */
  readonly days: number;
  /** Days that have ever begun. */
  readonly daysBegun: number;
  /** The day of the log's time at the last applied record. */
  readonly today: number;
  /** The day after the last one that has expired; 0 before any. */
  readonly expiredBefore: number;
  readonly unknownDays: number;
  readonly droppedUnknownDays: number;
  readonly gaps: number;
  /** The hash of the state, four words. */
  readonly hash: ArrayLike<number>;
}

export function encodeState(state: StoredState): Buffer {
  const writer = new ByteWriter();
  writer.u8(TAG_STORE_VERSION);
  writer.varint(state.nextOffset);
  writer.varint(state.generation);
  writer.varint(state.tags);
  writer.varint(state.metrics);
  writer.varint(state.series);
  writer.varint(state.daysOfSeries);
  writer.varint(state.days);
  writer.varint(state.daysBegun);
  writer.varint(state.today);
  writer.varint(state.expiredBefore);
  writer.varint(state.unknownDays);
  writer.varint(state.droppedUnknownDays);
  writer.varint(state.gaps);
  for (let i = 0; i < 4; i++) writer.u32(state.hash[i]);
  return sealValue(writer.take());
}

/**
 * Decodes the state entry. Throws `failed_precondition` when a newer program wrote it, `data_loss` when it is broken.
 */
export function decodeState(sealed: Uint8Array): StoredState {
  const reader = new ByteReader(openValue(sealed, 'tag store state'), 'tag store state');
  const version = reader.u8();
  if (version !== TAG_STORE_VERSION) {
    const message = `the tag store has format ${version}, this program reads ${TAG_STORE_VERSION}`;
    throw new TidemarkError('failed_precondition', message, { version });
  }
  const state = {
    nextOffset: reader.varint(),
    generation: reader.varint(),
    tags: reader.varint(),
    metrics: reader.varint(),
    series: reader.varint(),
    daysOfSeries: reader.varint(),
    days: reader.varint(),
    daysBegun: reader.varint(),
    today: reader.varint(),
    expiredBefore: reader.varint(),
    unknownDays: reader.varint(),
    droppedUnknownDays: reader.varint(),
    gaps: reader.varint(),
    hash: [reader.u32(), reader.u32(), reader.u32(), reader.u32()],
  };
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  if (state.generation >= PAIR) reader.fail(`generation ${state.generation} (limit: ${PAIR - 1})`);
  return state;
}
