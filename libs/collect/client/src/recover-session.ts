import { toHex } from '@tidemark/bytes';
import { assert, type Disk, isTidemarkError } from '@tidemark/ports';
import { DamagedBatches, type LostPoints } from './damaged-batches.ts';
import type { RefRange } from './epoch-routes.ts';
import { SeriesTable } from './series-table.ts';
import { type BatchFile, fileOfName, refsKey, type SpoolContents } from './session-spool.ts';
import { type Place, readFully } from './spool-file.ts';
import {
  type BadBytes,
  decodeHeader,
  FILE_KIND,
  FILE_OF_RECORD,
  type FileKind,
  readRecords,
  SPOOL_HEADER_BYTES,
  type SpoolHeader,
} from './spool-format.ts';

/** Sequences that may have been used behind what a damaged spool still shows: more than any window. */
export const SEQUENCES_SKIPPED = 65_536;

/** A batch found in a spool. */
export interface RecoveredBatch {
  readonly number: number;
  readonly points: number;
  readonly minTimeMs: number;
  waiting?: Place;
  stamped?: Place & { readonly sequence: number; readonly epoch: number; readonly stampedMs: number };
}

/** A client session of an earlier run, as its files describe it. */
export interface RecoveredSession {
  readonly clientSession: Uint8Array;
  readonly createdMs: number;
  readonly tenant: string | undefined;
  readonly series: SeriesTable;
  /** In the order in which they were given out. */
  readonly refs: readonly RefRange[];
  /** Unsettled batches by number, ascending. */
  readonly batches: readonly RecoveredBatch[];
  readonly nextNumber: number;
  readonly nextSequence: number;
  readonly contents: SpoolContents;
  readonly badBytes: number;
  readonly lost: LostPoints;
}

/**
 * Reads the files of a client session's folder. The good part is taken and the bad counted: a torn tail after a crash,
 * a record or header with a wrong checksum, a file of another session. Returns the damage alone when nothing is left to send.
 * Errors: the disk's, and `failed_precondition` for a newer format.
 */
export async function recoverSession(
  disk: Disk,
  folder: string,
  clientSession: Uint8Array,
  maxFileBytes: number,
): Promise<RecoveredSession | Pick<RecoveredSession, 'badBytes' | 'lost'>> {
  const found = new FoundRecords();
  for (const name of await disk.list(folder)) {
    const named = fileOfName(name);
    if (named === undefined) continue;
    const path = `${folder}/${name}`;
    const bytes = await readFile(disk, path, maxFileBytes, (size) => found.damaged(size));
    const header = headerOf(bytes, path);
    found.nextFile = Math.max(found.nextFile, named.number + 1);
    if (header === undefined) {
      found.damaged(Math.min(SPOOL_HEADER_BYTES, bytes.length));
      found.add(path, named.kind, bytes);
    } else if (toHex(header.clientSession) === toHex(clientSession)) {
      found.began(header);
      found.add(path, header.kind, bytes);
    } else found.damaged(bytes.length);
  }
  return found.result(clientSession);
}

async function readFile(
  disk: Disk,
  path: string,
  limitBytes: number,
  onBad: (sizeBytes: number) => void,
): Promise<Buffer> {
  const file = await disk.open(path);
  try {
    // Bytes that a crashed process wrote without a sync can be read now and be lost in the next crash: a stamp must not be.
    await file.sync();
    const sizeBytes = await file.sizeBytes();
    if (sizeBytes > limitBytes) onBad(sizeBytes - limitBytes);
    return await readFully(file, 0, Math.min(sizeBytes, limitBytes));
  } finally {
    await file.close().catch(() => {});
  }
}

/** Undefined for a header that is damaged: folder and name say which session and kind the file is of. */
function headerOf(bytes: Buffer, path: string): SpoolHeader | undefined {
  try {
    return decodeHeader(bytes.subarray(0, SPOOL_HEADER_BYTES), path);
  } catch (error) {
    if (isTidemarkError(error, 'data_loss')) return undefined;
    throw error;
  }
}

/** Puts the records of one session's files together. Waiting, stamped, settled: a later state wins in any order. */
class FoundRecords {
  nextFile = 1;
  readonly #series = new SeriesTable();
  readonly #refs: RefRange[] = [];
  readonly #refCounts = new Map<string, number>();
  readonly #batches = new Map<number, RecoveredBatch>();
  readonly #batchFiles: BatchFile[] = [];
  /** Files with a record of a batch, by the state that the record gives it. */
  readonly #files = { waiting: new Map<number, BatchFile>(), stamped: new Map<number, BatchFile>() };
  readonly #settled = new Map<number, BatchFile>();
  readonly #damage = new DamagedBatches();
  #tenant: string | undefined;
  #createdMs = Number.POSITIVE_INFINITY;
  #nextNumber = 0;
  #nextSequence = 0;
  #definitionBytes = 0;
  #badBytes = 0;

  damaged(sizeBytes: number): void {
    this.#badBytes += sizeBytes;
  }

  began({ createdMs, nextSequence }: SpoolHeader): void {
    this.#createdMs = Math.min(this.#createdMs, createdMs);
    this.#nextSequence = Math.max(this.#nextSequence, nextSequence);
  }

  add(path: string, kind: FileKind, bytes: Buffer): void {
    if (kind === FILE_KIND.definitions) {
      this.#definitionBytes += bytes.length;
      this.#addRecords(path, kind, bytes);
    } else {
      const file = { path, kind, sizeBytes: bytes.length, unsettled: new Set<number>(), voids: new Set<BatchFile>() };
      this.#batchFiles.push(file);
      this.#addRecords(path, kind, bytes, file);
    }
  }

  #addRecords(path: string, kind: FileKind, bytes: Buffer, file?: BatchFile): void {
    const onBad = (bad: BadBytes) => {
      this.damaged(bad.bytes.length);
      this.#damage.add(kind, bad);
    };
    for (const { record, position, sizeBytes } of readRecords(bytes, onBad)) {
      const place = { path, position, sizeBytes };
      if (FILE_OF_RECORD[record.type] !== kind) {
        this.damaged(sizeBytes);
        continue;
      }
      switch (record.type) {
        case 'tenant':
          this.#tenant = record.tenant;
          break;
        case 'series':
          // Ranges may overlap what is known (a commit that failed was repeated), but leave no gap.
          if (record.first > this.#series.length) this.damaged(sizeBytes);
          else for (const series of record.series.slice(this.#series.length - record.first)) this.#series.add(series);
          break;
        case 'intervals':
          this.#addIntervals(record.numbers, record.intervalsMs, sizeBytes);
          break;
        case 'refs':
          this.#addRefs(record.range, sizeBytes);
          break;
        case 'waiting': {
          const { number, points, minTimeMs } = record.batch;
          this.#nextNumber = Math.max(this.#nextNumber, number + 1);
          this.#supersede(this.#files.waiting, number, file);
          const stamped = this.#batches.get(number)?.stamped;
          if (stamped === undefined) this.#batches.set(number, { number, points, minTimeMs, waiting: place });
          break;
        }
        case 'stamped': {
          const { number, points, minTimeMs, sequence, epoch, stampedMs } = record.batch;
          this.#nextNumber = Math.max(this.#nextNumber, number + 1);
          this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
          this.#supersede(this.#files.stamped, number, file);
          const stamped = { ...place, sequence, epoch, stampedMs };
          this.#batches.set(number, { number, points, minTimeMs, stamped });
          break;
        }
        default:
          for (const number of record.numbers) this.#supersede(this.#settled, number, file);
      }
    }
  }

  /** The later of two records of one state (a commit that failed was repeated) makes the earlier void. */
  #supersede(files: Map<number, BatchFile>, number: number, file: BatchFile | undefined): void {
    assert(file !== undefined, 'records of batches are in files of batches');
    const older = files.get(number);
    if (older !== undefined && older !== file) file.voids.add(older);
    files.set(number, file);
  }

  /** Once all files are read: which batches are left, and which file must outlive which. */
  #settle(): LostPoints {
    for (const [number, by] of this.#settled) {
      this.#batches.delete(number);
      for (const file of [this.#files.waiting.get(number), this.#files.stamped.get(number)]) {
        if (file !== undefined && file !== by) by.voids.add(file);
      }
    }
    const lost = this.#damage.settle(this.#batches, (number) => this.#settled.has(number));
    for (const [number, by] of this.#files.stamped) {
      const waiting = this.#files.waiting.get(number);
      if (waiting !== undefined) by.voids.add(waiting);
    }
    for (const { number, stamped } of this.#batches.values()) {
      (stamped === undefined ? this.#files.waiting : this.#files.stamped).get(number)?.unsettled.add(number);
    }
    return lost;
  }

  #addIntervals(numbers: readonly number[], intervalsMs: readonly number[], sizeBytes: number): void {
    if (numbers.some((number) => number >= this.#series.length)) this.damaged(sizeBytes);
    for (const [i, number] of numbers.entries()) {
      if (number < this.#series.length) this.#series.get(number).intervalMs = intervalsMs[i];
    }
  }

  #addRefs(range: RefRange, sizeBytes: number): void {
    const key = refsKey(range.epoch, range.partition);
    const known = this.#refCounts.get(key) ?? 0;
    if (range.firstRef > known || range.numbers.some((number) => number >= this.#series.length)) {
      this.damaged(sizeBytes);
      return;
    }
    this.#refs.push(range);
    this.#refCounts.set(key, Math.max(known, range.firstRef + range.numbers.length));
  }

  /** No batch has two stamps, so a session has not used more sequences than numbers, but for those that it skipped. */
  #sequenceAfterDamage(): number {
    return Math.max(this.#nextSequence, this.#nextNumber) + SEQUENCES_SKIPPED;
  }

  result(clientSession: Uint8Array): RecoveredSession | Pick<RecoveredSession, 'badBytes' | 'lost'> {
    const lost = this.#settle();
    const badBytes = this.#badBytes;
    if (this.#batches.size === 0) return { badBytes, lost };
    const batches = [...this.#batches.values()].sort((a, b) => a.number - b.number);
    return {
      clientSession,
      // Without a header the session counts as the oldest.
      createdMs: Number.isFinite(this.#createdMs) ? this.#createdMs : 0,
      tenant: this.#tenant,
      series: this.#series,
      refs: this.#refs,
      batches,
      nextNumber: this.#nextNumber,
      nextSequence: badBytes > 0 ? this.#sequenceAfterDamage() : this.#nextSequence,
      badBytes,
      lost,
      contents: {
        nextFile: this.nextFile,
        tenant: this.#tenant,
        series: this.#series.length,
        refs: this.#refCounts,
        definitionBytes: this.#definitionBytes,
        batchFiles: this.#batchFiles,
      },
    };
  }
}
