import { FlipSearch } from './flip-search.ts';
import { RangeChecksums } from './range-checksums.ts';
import {
  checkedRecord,
  KNOWN_TYPES,
  MAX_RECORD_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_PREFIX_BYTES,
  recordOf,
  SPOOL_HEADER_BYTES,
  type SpoolRecord,
} from './spool-format.ts';

/**
 * Bytes that are decoded in vain, as a multiple of the file's. More are only in a file that was made for it, where records with
 * right checksums are in each other.
 */
const DECODED_IN_VAIN = 4;

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
 * else at the next good one, wherever that begins. The time is linear in the bytes, also for a file made to be slow.
 * spool-format.test.ts covers it.
 */
export function* readRecords(bytes: Uint8Array, onBad: (bad: BadBytes) => void): Generator<PlacedRecord> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let damaged: DamagedFile | undefined;
  for (let position = SPOOL_HEADER_BYTES; position < view.length; ) {
    const end = frameEnd(view, position);
    const record = end === undefined ? undefined : recordAt(view, position, end, damaged);
    if (end !== undefined && record !== undefined) {
      damaged?.used(position, end);
      yield { record, position, sizeBytes: end - position };
      position = end;
      continue;
    }
    damaged ??= new DamagedFile(view, position);
    const [first, ...more] = damaged.badAt(position);
    for (const bad of [first, ...more]) {
      onBad(bad);
      position = bad.position + bad.bytes.length;
    }
  }
}

function recordAt(view: Buffer, position: number, end: number, damaged?: DamagedFile): SpoolRecord | undefined {
  return damaged === undefined ? checkedRecord(view.subarray(position, end)) : damaged.recordAt(position);
}

/** Where the record that begins here ends by its length; undefined when there is no room for it. */
function frameEnd(view: Buffer, position: number): number | undefined {
  if (view.length - position < RECORD_HEADER_BYTES) return undefined;
  const bodyBytes = view.readUInt32LE(position);
  const end = position + RECORD_PREFIX_BYTES + bodyBytes;
  return bodyBytes > 0 && bodyBytes <= MAX_RECORD_BYTES && end <= view.length ? end : undefined;
}

/** A file with bad bytes: any place from the first of them may be the start of a record. */
class DamagedFile {
  readonly #view: Buffer;
  readonly #checksums: RangeChecksums;
  readonly #flips: FlipSearch;
  /** Records that were decoded, by their position. */
  readonly #decoded = new Map<number, SpoolRecord | undefined>();
  #leftBytes: number;

  constructor(view: Buffer, start: number) {
    this.#view = view;
    this.#checksums = new RangeChecksums(view, start);
    this.#flips = new FlipSearch(view, this.#checksums, MAX_RECORD_BYTES);
    this.#leftBytes = DECODED_IN_VAIN * view.length;
  }

  recordAt(position: number): SpoolRecord | undefined {
    const end = frameEnd(this.#view, position);
    if (end === undefined || !this.#isBodyBetween(position, end)) return undefined;
    if (!this.#decoded.has(position)) {
      this.#decoded.set(
        position,
        this.#decode(end - position, () => this.#view.subarray(position, end)),
      );
    }
    return this.#decoded.get(position);
  }

  /** The bad bytes from `position` to the next good record or the end, as one or more records. */
  badAt(position: number): readonly [BadBytes, ...BadBytes[]] {
    const view = this.#view;
    const before = this.#flips.frameBefore(position);
    const record = before === undefined ? undefined : this.#decode(before.sizeBytes, () => before.copy());
    if (before !== undefined && record !== undefined) {
      this.used(position, position + before.sizeBytes);
      const bytes = view.subarray(position, position + before.sizeBytes);
      return [{ bytes, position, isEnd: false, record }];
    }
    // Mostly the next record is where the length says. A wrong length can lead to a later one.
    const frame = frameEnd(view, position);
    const claimed = frame ?? view.length + position;
    const found = this.#nextRecord(position + 1);
    const isLengthWrong = found !== undefined && found < claimed && this.#isBodyBetween(position, found);
    const next = this.recordAt(claimed) !== undefined && !isLengthWrong ? claimed : found;
    const end = next ?? Math.min(claimed, view.length);
    // A write that was cut off has no whole body.
    const isEnd = next === undefined && frame === undefined && !this.#isBodyBetween(position, view.length);
    const bad = { bytes: view.subarray(position, end), position, isEnd };
    if (next !== undefined || end === view.length) return [bad];
    return [bad, { bytes: view.subarray(end), position: end, isEnd: true }];
  }

  /** Where the next good record begins. */
  #nextRecord(from: number): number | undefined {
    const view = this.#view;
    for (let position = from; position + RECORD_HEADER_BYTES <= view.length; position++) {
      if (KNOWN_TYPES.has(view[position + RECORD_PREFIX_BYTES]) && this.recordAt(position) !== undefined)
        return position;
    }
    return undefined;
  }

  /** Whether the body of the record at `position` ends at `end`, by its checksum. */
  #isBodyBetween(position: number, end: number): boolean {
    const from = position + RECORD_PREFIX_BYTES;
    return from < end && this.#view.readUInt32LE(position + 4) === this.#checksums.of(from, end);
  }

  /** Notes that reading continues behind a record, which so was not decoded in vain. */
  used(position: number, end: number): void {
    this.#decoded.delete(position);
    this.#leftBytes += end - position;
  }

  #decode(sizeBytes: number, frame: () => Buffer): SpoolRecord | undefined {
    if (sizeBytes > this.#leftBytes) return undefined;
    this.#leftBytes -= sizeBytes;
    return recordOf(frame().subarray(RECORD_PREFIX_BYTES));
  }
}
