import { crc32c } from '@tidemark/bytes';
import { ENVELOPE_BYTES, writeEnvelope } from './envelope.ts';

/**
 * Bytes before the record in a record batch of Kafka's version 2. The batches here have one record, which has only a
 * value.
 */
const BATCH_BYTES = 61;
/** Position from which on the batch's own checksum covers its bytes. */
const SUMMED_AT = 21;
const MAGIC = 2;
/** Bytes of the longest varint of a length. */
const VARINT_BYTES = 5;
/** Attributes, timestamp delta, offset delta, key length −1; after the value, no headers. */
const RECORD_HEAD = Buffer.from([0, 0, 0, 1]);

/** Maximum bytes of a record in a topic in addition to its value. */
export const RECORD_OVERHEAD_BYTES = BATCH_BYTES + 2 * VARINT_BYTES + RECORD_HEAD.length + 1 + ENVELOPE_BYTES;

export interface BatchSource {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence as Kafka counts: 31 bits, followed by 0 after 2³¹ − 1. */
  readonly sequence: number;
  readonly timestampMs: number;
  readonly checksum: number;
  readonly value: Uint8Array;
}

/** The bytes of a batch. The value is copied: it may change afterwards. */
export function encodeBatch(source: BatchSource): Buffer {
  const { value } = source;
  const storedBytes = ENVELOPE_BYTES + value.length;
  const recordBytes = RECORD_HEAD.length + zigzagBytes(storedBytes) + storedBytes + 1;
  const batch = Buffer.allocUnsafe(BATCH_BYTES + zigzagBytes(recordBytes) + recordBytes);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch[16] = MAGIC;
  batch.writeInt16BE(0, SUMMED_AT);
  batch.writeInt32BE(0, 23);
  const timestamp = BigInt(Math.floor(source.timestampMs));
  batch.writeBigInt64BE(timestamp, 27);
  batch.writeBigInt64BE(timestamp, 35);
  batch.writeBigInt64BE(source.producerId, 43);
  batch.writeInt16BE(source.producerEpoch, 51);
  batch.writeInt32BE(source.sequence, 53);
  batch.writeInt32BE(1, 57);
  let at = writeZigzag(batch, BATCH_BYTES, recordBytes);
  at += RECORD_HEAD.copy(batch, at);
  at = writeZigzag(batch, at, storedBytes);
  writeEnvelope(batch, at, source.checksum);
  batch.set(value, at + ENVELOPE_BYTES);
  batch[batch.length - 1] = 0;
  batch.writeUInt32BE(crc32c(batch.subarray(SUMMED_AT)), 17);
  return batch;
}

function zigzagBytes(length: number): number {
  let rest = length * 2;
  let bytes = 1;
  for (; rest >= 0x80; bytes++) rest = Math.floor(rest / 0x80);
  return bytes;
}

function writeZigzag(target: Buffer, at: number, length: number): number {
  let rest = length * 2;
  for (; rest >= 0x80; at++) {
    target[at] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at] = rest;
  return at + 1;
}
