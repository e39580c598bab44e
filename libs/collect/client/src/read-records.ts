import { crc32c } from '@tidemark/bytes';
import { FlipSearch } from './flip-search.ts';
import {
  checkedRecord,
  KNOWN_TYPES,
  MAX_RECORD_BYTES,
  RECORD_HEADER_BYTES,
  SPOOL_HEADER_BYTES,
  type SpoolRecord,
} from './spool-format.ts';

/** A record and its place in its file. */
export interface PlacedRecord {
  readonly record: SpoolRecord;
  readonly position: number;
  readonly sizeBytes: number;
}

/** Bytes of a file between its good records. */
export interface BadBytes {
  /** They begin like a record. */
  readonly bytes: Uint8Array;
  readonly position: number;
  /** True when they are all that is left of the file, and may be a write that was cut off. */
  readonly isEnd: boolean;
  /** What they were, if one bit of them flipped. It is good enough to count, and not to send. */
  readonly record?: SpoolRecord;
}

/**
 * The good records of a file after its header. After a bad one, reading continues behind it, if one flipped bit explains it,
 * else at the next good one, wherever that begins.
 */
export function* readRecords(bytes: Uint8Array, onBad: (bad: BadBytes) => void): Generator<PlacedRecord> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flips = new FlipSearch(MAX_RECORD_BYTES);
  let position = SPOOL_HEADER_BYTES;
  while (position < view.length) {
    const frame = frameAt(view, position);
    const record = frame === undefined ? undefined : checkedRecord(frame);
    if (frame !== undefined && record !== undefined) {
      yield { record, position, sizeBytes: frame.length };
      position += frame.length;
      continue;
    }
    const before = flips.frameBefore(view, position);
    const recordBefore = before === undefined ? undefined : checkedRecord(before);
    if (before !== undefined && recordBefore !== undefined) {
      const end = position + before.length;
      onBad({ bytes: view.subarray(position, end), position, isEnd: false, record: recordBefore });
      position = end;
      continue;
    }
    // Mostly the next record is where the length says. A wrong length can lead to a later one.
    const claimed = position + (frame?.length ?? view.length);
    const found = nextRecord(view, position + 1);
    const isLengthWrong = found !== undefined && found < claimed && isBodyBetween(view, position, found);
    const next = isRecordAt(view, claimed) && !isLengthWrong ? claimed : found;
    const end = next ?? Math.min(claimed, view.length);
    // A write that was cut off has no whole body.
    const isEnd = next === undefined && frame === undefined && !isBodyBetween(view, position, view.length);
    onBad({ bytes: view.subarray(position, end), position, isEnd });
    if (next === undefined && end < view.length) onBad({ bytes: view.subarray(end), position: end, isEnd: true });
    position = next ?? view.length;
  }
}

/** The bytes of the record that begins here by its length; undefined when there is no room for it. */
function frameAt(view: Buffer, position: number): Buffer | undefined {
  if (view.length - position < RECORD_HEADER_BYTES) return undefined;
  const bodyBytes = view.readUInt32LE(position);
  const sizeBytes = bodyBytes + 8;
  const isPossible = bodyBytes > 0 && bodyBytes <= MAX_RECORD_BYTES && position + sizeBytes <= view.length;
  return isPossible ? view.subarray(position, position + sizeBytes) : undefined;
}

/** Whether the body of the record at `position` ends at `end`, by its checksum. */
function isBodyBetween(view: Buffer, position: number, end: number): boolean {
  const bodyFrom = position + RECORD_HEADER_BYTES - 1;
  return bodyFrom < end && view.readUInt32LE(position + 4) === crc32c(view.subarray(bodyFrom, end));
}

function isRecordAt(view: Buffer, position: number): boolean {
  const frame = frameAt(view, position);
  return frame !== undefined && checkedRecord(frame) !== undefined;
}

/** Where the next good record begins. It computes checksums of a bounded number of bytes. */
function nextRecord(view: Buffer, from: number): number | undefined {
  let leftBytes = MAX_RECORD_BYTES;
  for (let position = from; leftBytes > 0 && position + RECORD_HEADER_BYTES <= view.length; position++) {
    const frame = frameAt(view, position);
    if (frame === undefined || !KNOWN_TYPES.has(frame[8])) continue;
    leftBytes -= frame.length;
    if (checkedRecord(frame) !== undefined) return position;
  }
  return undefined;
}
