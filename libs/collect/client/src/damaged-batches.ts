import { ByteReader } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import { MAX_BATCH_POINTS } from './gatherer.ts';
import type { BadBytes } from './read-records.ts';
import { FILE_KIND, type FileKind, isSettledRecord, RECORD_HEADER_BYTES } from './spool-format.ts';

/** Disks write whole sectors. */
const SECTOR_BYTES = 512;
/** A write that was cut off by a power loss shows as zeros; a damaged record has no such run of them. */
const TORN_BYTES = Buffer.alloc(64);

/** A batch that the spool still has. */
interface FoundBatch {
  readonly number: number;
  readonly points: number;
  readonly stamped?: object;
}

/** Points of the batches that damage took out of a spool. */
export interface LostPoints {
  /** They were never sent. */
  readonly dropped: number;
  /** They may have been sent. */
  readonly indeterminate: number;
}

/** The points, and the numbers of the batches that they were in. */
export interface LostBatches extends LostPoints {
  readonly numbers: readonly number[];
}

/**
 * The damaged records of one client session's spool. Their batches are counted by what the records still say. A batch
 * whose stamp is damaged must not be sent under another one: it may have arrived under its own. spool.test.ts covers it.
 */
export class DamagedBatches {
  /** Points by batch number. */
  readonly #waiting = new Map<number, number>();
  readonly #stamped = new Map<number, number>();
  /** True when a record was lost that may have been a stamp of any batch. */
  #isStampLost = false;
  #isIndexLost = false;

  /** Notes the bytes of one or more bad records. The end of a file may be a torn write, of which nothing was sent. */
  add(kind: FileKind, { bytes, position, isEnd, record }: BadBytes): void {
    if (record?.type === 'stamped') this.#stamped.set(record.batch.number, record.batch.points);
    if (record?.type === 'waiting') this.#waiting.set(record.batch.number, record.batch.points);
    if (record === undefined && !isEnd) this.#addUnknown(kind, bytes, position);
  }

  /** Notes the batches with a record in a file of this kind, as the index says it: points by batch number. */
  addIndexed(kind: FileKind, batches: ReadonlyMap<number, number>): void {
    if (kind === FILE_KIND.definitions) return;
    const known = kind === FILE_KIND.stamped ? this.#stamped : this.#waiting;
    for (const [number, points] of batches) known.set(number, points);
  }

  /** Notes that no index says which batches had a stamp. */
  loseIndex(): void {
    this.#isIndexLost = true;
  }

  #addUnknown(kind: FileKind, bytes: Uint8Array, position: number): void {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (kind === FILE_KIND.definitions || isTorn(view, position)) return;
    if (kind === FILE_KIND.stamped) {
      if (isSettledRecord(view)) return;
      this.#isStampLost = true;
    }
    const found = readBatch(view.subarray(RECORD_HEADER_BYTES));
    if (found !== undefined)
      (kind === FILE_KIND.stamped ? this.#stamped : this.#waiting).set(found.number, found.points);
  }

  /**
   * Removes the batches whose stamp is lost from those to be sent, and counts them with those that are lost themselves.
   * Stamps are given in the order of the numbers, so an unstamped batch below a stamped one has lost its stamp.
   */
  settle(batches: Map<number, FoundBatch>, isSettled: (number: number) => boolean): LostBatches {
    let [dropped, indeterminate] = [0, 0];
    const numbers: number[] = [];
    const newest = this.#newestLost(batches);
    for (const { number, points, stamped } of [...batches.values()]) {
      if (stamped !== undefined || (number >= newest && !this.#stamped.has(number))) continue;
      batches.delete(number);
      this.#stamped.delete(number);
      this.#waiting.delete(number);
      numbers.push(number);
      indeterminate += points;
    }
    for (const [number, points] of this.#stamped) {
      if (batches.has(number) || isSettled(number)) continue;
      numbers.push(number);
      indeterminate += points;
    }
    for (const [number, points] of this.#waiting) {
      if (batches.has(number) || isSettled(number) || this.#stamped.has(number)) continue;
      numbers.push(number);
      dropped += points;
    }
    return { dropped, indeterminate, numbers };
  }

  /** Unstamped batches below it may have lost their stamp. */
  #newestLost(batches: ReadonlyMap<number, FoundBatch>): number {
    if (this.#isIndexLost) return Number.POSITIVE_INFINITY;
    let newest = -1;
    if (!this.#isStampLost) return newest;
    for (const { number, stamped } of batches.values()) if (stamped !== undefined) newest = Math.max(newest, number);
    return newest;
  }
}

/** True for a write that did not reach the disk as a whole: it was not synced, and no batch of it was sent. */
function isTorn(frame: Buffer, position: number): boolean {
  if (frame.includes(TORN_BYTES)) return true;
  for (let from = 0; from < frame.length; ) {
    const to = from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES);
    if (frame.subarray(from, to).every((byte) => byte === 0)) return true;
    from = to;
  }
  return false;
}

/**
 * True for the bad bytes of a file of which a power loss has taken whole sectors: not all pieces of a long write show it. A
 * write in progress may end anywhere, but there is one at a time.
 */
export function isOfCrash(all: readonly BadBytes[]): boolean {
  return all.some(({ bytes, position, isEnd }) => {
    const isSectorEnd = isEnd && (position + bytes.length) % SECTOR_BYTES === 0;
    return isSectorEnd || isTorn(Buffer.from(bytes), position);
  });
}

/** Number and points of a batch, if the damage left them readable. */
function readBatch(payload: Uint8Array): { number: number; points: number } | undefined {
  try {
    const reader = new ByteReader(payload, 'spool record');
    const number = reader.varint();
    const points = reader.varint();
    return points >= 1 && points <= MAX_BATCH_POINTS ? { number, points } : undefined;
  } catch (error) {
    if (isTidemarkError(error)) return undefined;
    throw error;
  }
}
