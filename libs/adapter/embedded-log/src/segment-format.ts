import { ByteReader, ByteWriter, crc32c } from '@tidemark/bytes';
import type { Topic } from '@tidemark/ports';
import type { ProducerState } from './producer-table.ts';
import { PRODUCER_BYTES } from './record-format.ts';

export const SEGMENT_MAGIC = Buffer.from('TIDESEG\n');
/** 2: a segment does not name the last append time before it. 3: segments name the partition's id, records a generation. */
export const FORMAT_VERSION = 4;
/** Bytes of magic, version, reserved field and header size. */
export const SEGMENT_PREFIX_BYTES = 16;
export const SEGMENT_SUFFIX = '.segment';
/** Suffix of a segment that is being created; recovery removes files that a crash left with it. */
export const DRAFT_SUFFIX = '.draft';
const PRODUCER_ENTRY_BYTES = PRODUCER_BYTES + 8 + 8 + 8 + 4 + 4;
const TWO_POW_32 = 2 ** 32;
const TOPIC_LIMIT_BYTES = 64;
/** Bytes of a partition's id. */
export const LOG_ID_BYTES = 16;
/**
 * A partition whose folder is gone continues at the next multiple of this offset, because nothing says how many records it
 * had: 2^40 are those of 34 years at 1,000 a second.
 */
export const REMADE_STEP = 2 ** 40;

/** How often a partition was made again that has this offset, at least. */
export function remadeOf(offset: number): number {
  return Math.floor(offset / REMADE_STEP);
}

/** The first offset of a partition that is made again, and was `remade` times before. */
export function nextAfterLoss(remade: number): number {
  return (remade + 1) * REMADE_STEP;
}

/** The header of a segment; docs/formats/log.md has the byte diagram. */
export interface SegmentHeader {
  readonly topic: string;
  readonly partition: number;
  /** Random id of the partition; a partition that is created again has another one. */
  readonly id: Uint8Array;
  /** Offset of the segment's first record. */
  readonly base: number;
  /**
   * Start value of every record header's checksum, so that records of another file are not accepted as records of this
   * one.
   */
  readonly salt: number;
  /** The producers as of `base`, the oldest first. */
  readonly producers: readonly ProducerState[];
}

export function partitionFolder(topic: Topic, partition: number): string {
  return `${topic}/${partition}`;
}

/** File name of the segment that begins at `base`: 16 digits, so that names sort in the order of offsets. */
export function segmentName(base: number): string {
  return `${String(base).padStart(16, '0')}${SEGMENT_SUFFIX}`;
}

/** The base of a segment's file name, or undefined for another file. */
export function segmentBase(name: string): number | undefined {
  if (!name.endsWith(SEGMENT_SUFFIX)) return undefined;
  const digits = name.slice(0, -SEGMENT_SUFFIX.length);
  return /^[0-9]{16}$/.test(digits) ? Number(digits) : undefined;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const writer = new ByteWriter(256 + header.producers.length * PRODUCER_ENTRY_BYTES);
  writer.bytes(SEGMENT_MAGIC);
  writer.u16(FORMAT_VERSION);
  writer.u16(0);
  writer.u32(0);
  writer.u32(header.salt);
  writer.u32(header.partition);
  u64(writer, header.base);
  writer.bytes(header.id);
  writer.text(header.topic);
  writer.u32(header.producers.length);
  for (const state of header.producers) {
    writer.bytes(state.producer);
    u64(writer, state.sequence);
    u64(writer, state.offset);
    writer.f64(state.appendTimeMs);
    writer.u32(state.valueCrc);
    writer.u32(state.valueBytes);
  }
  writer.patchU32(12, writer.length + 4);
  writer.u32(crc32c(writer.view()));
  return writer.take();
}

/**
 * The size in bytes of the header that begins with `prefix`. Errors: `data_loss` when it is not a header, or is of
 * another format than the folder's. The folder's format was checked when the log was opened, so the version is then
 * damaged.
 */
export function segmentHeaderBytes(prefix: Uint8Array, file: string): number {
  const reader = new ByteReader(prefix, file);
  if (Buffer.compare(reader.bytes(SEGMENT_MAGIC.length), SEGMENT_MAGIC) !== 0) reader.fail('not a log segment');
  const version = reader.u16();
  if (version !== FORMAT_VERSION) reader.fail(`format version ${version} in a folder of format ${FORMAT_VERSION}`);
  reader.skip(2);
  return reader.u32();
}

/** Decodes a whole header. Errors as of `segmentHeaderBytes`. */
export function decodeSegmentHeader(bytes: Uint8Array, file: string): SegmentHeader {
  const size = segmentHeaderBytes(bytes, file);
  const reader = new ByteReader(bytes, file);
  if (size !== bytes.length || size < SEGMENT_PREFIX_BYTES + 4)
    reader.fail(`the header names its size as ${size} bytes`);
  const crc = new ByteReader(bytes, file, size - 4).u32();
  if (crc !== crc32c(bytes.subarray(0, size - 4))) reader.fail('the header fails its checksum');
  reader.skip(SEGMENT_PREFIX_BYTES);
  const salt = reader.u32();
  const partition = reader.u32();
  const base = readU64(reader);
  const id = Uint8Array.from(reader.bytes(LOG_ID_BYTES));
  const topic = reader.text(TOPIC_LIMIT_BYTES);
  const count = reader.u32();
  reader.need(count * PRODUCER_ENTRY_BYTES);
  const producers: ProducerState[] = [];
  for (let i = 0; i < count; i++) {
    producers.push({
      producer: Uint8Array.from(reader.bytes(PRODUCER_BYTES)),
      sequence: readU64(reader),
      offset: readU64(reader),
      appendTimeMs: reader.f64(),
      valueCrc: reader.u32(),
      valueBytes: reader.u32(),
    });
  }
  return { topic, partition, id, base, salt, producers };
}

function u64(writer: ByteWriter, value: number): void {
  writer.u32(value % TWO_POW_32);
  writer.u32(Math.floor(value / TWO_POW_32));
}

function readU64(reader: ByteReader): number {
  return reader.u32() + reader.u32() * TWO_POW_32;
}
