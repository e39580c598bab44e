import { toHex } from '@tidemark/bytes';
import { assert, type Disk } from '@tidemark/ports';
import { DamagedBatches, isOfCrash, type LostPoints } from './damaged-batches.ts';
import type { RefRange } from './epoch-routes.ts';
import { IndexState } from './index-state.ts';
import { type FoundIndex, headerOf, readFile, readIndex } from './read-index.ts';
import { type BadBytes, readRecords } from './read-records.ts';
import { type FoundBatches, renewIndex } from './renew-index.ts';
import { SeriesTable, type TableSeries } from './series-table.ts';
import { type BatchFile, refsKey, type SpoolContents } from './session-spool.ts';
import type { Place } from './spool-file.ts';
import {
  type DataFileKind,
  FILE_KIND,
  FILE_OF_RECORD,
  FIRST_INDEXED,
  SPOOL_HEADER_BYTES,
  type SpoolHeader,
} from './spool-format.ts';
import { fileOfName, type IndexName } from './spool-names.ts';

/** Sequences left out at each recovery: more than any window. What a spool has lost since may have used some. */
export const SEQUENCES_SKIPPED = 65_536;

/** A batch found in a spool. */
export interface RecoveredBatch {
  readonly number: number;
  readonly points: number;
  readonly minTimeMs: number;
  /** Points that sends of an earlier run may have left out when they stored the others. */
  unsure?: number;
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
  /** What the index has to say of the files from now on. */
  readonly index: IndexState;
}

/** What a spool had that can't be sent any more, when nothing else is left. */
export type NothingLeft = Pick<RecoveredSession, 'badBytes' | 'lost' | 'index'>;

/** Where the files of a client session are. */
export interface SessionPlace {
  readonly folder: string;
  readonly clientSession: Uint8Array;
  readonly indexes: readonly IndexName[];
}

/**
 * Reads the index of a client session and the files of its folder. The good part is taken and the bad counted: a torn tail
 * after a crash, a record or header with a wrong checksum, a file of another session, and what the index lists and no file has.
 * Returns the damage alone when nothing is left to send. Errors: the disk's, and `failed_precondition` for a newer format.
 */
export async function recoverSession(
  disk: Disk,
  { folder, clientSession, indexes }: SessionPlace,
  maxFileBytes: number,
): Promise<RecoveredSession | NothingLeft> {
  const index = await readIndex(disk, indexes, clientSession, maxFileBytes);
  if (index?.state.isEnded) return { badBytes: 0, lost: { dropped: 0, indeterminate: 0 }, index: index.state };
  const found = new FoundRecords(index);
  for (const name of await disk.list(folder)) {
    const named = fileOfName(name);
    if (named === undefined) continue;
    const path = `${folder}/${name}`;
    let unreadBytes = 0;
    const bytes = await readFile(disk, path, maxFileBytes, (size) => {
      unreadBytes = size;
    });
    const file = { path, number: named.number, bytes, sizeBytes: bytes.length + unreadBytes };
    const header = headerOf(bytes, path);
    if (header === undefined) {
      found.damaged(Math.min(SPOOL_HEADER_BYTES, bytes.length));
      found.add(file, named.kind);
    } else if (toHex(header.clientSession) === toHex(clientSession) && header.kind !== FILE_KIND.index) {
      found.began(header);
      found.add(file, header.kind);
    } else found.addOther(file);
  }
  return found.result(clientSession);
}

interface FoundFile {
  readonly path: string;
  /** That its name has. */
  readonly number: number;
  readonly bytes: Buffer;
  /** With what is beyond the limit, and not in `bytes`. */
  readonly sizeBytes: number;
}

/** Puts the records of one session's files together. Waiting, stamped, settled: a later state wins in any order. */
class FoundRecords {
  readonly #index: IndexState;
  readonly #foundIndex: FoundIndex | undefined;
  /** Numbers and sizes of the data files. */
  readonly #sizes = new Map<number, number>();
  /** Those of files that are not of this session, or no data files. */
  readonly #otherSizes = new Map<number, number>();
  /** Points of the batches that the data files have, by the file's number. */
  readonly #found = new Map<number, FoundBatches>();
  #version: number | undefined;
  #nextFile = 1;
  readonly #series = new SeriesTable();
  /** Of series that are not known yet, ms. */
  readonly #intervals = new Map<number, number>();
  readonly #refs: RefRange[] = [];
  readonly #refCounts = new Map<string, number>();
  readonly #batches = new Map<number, RecoveredBatch>();
  readonly #batchFiles: BatchFile[] = [];
  /** Files with a record of a batch, by the state that the record gives it. */
  readonly #files = { waiting: new Map<number, BatchFile>(), stamped: new Map<number, BatchFile>() };
  readonly #settled = new Map<number, BatchFile>();
  readonly #damage = new DamagedBatches();
  /** True when data files have bad bytes that a crash does not leave. */
  #isDataDamaged = false;
  #tenant: string | undefined;
  #createdMs = Number.POSITIVE_INFINITY;
  #nextNumber = 0;
  #nextSequence = 0;
  #definitionBytes = 0;
  #badBytes = 0;

  constructor(index: FoundIndex | undefined) {
    this.#index = index?.state ?? new IndexState();
    this.#foundIndex = index;
    this.#badBytes = index?.badBytes ?? 0;
  }

  damaged(sizeBytes: number): void {
    this.#badBytes += sizeBytes;
  }

  began({ version, createdMs, nextSequence }: SpoolHeader): void {
    this.#version = Math.max(this.#version ?? 0, version);
    this.#createdMs = Math.min(this.#createdMs, createdMs);
    this.#nextSequence = Math.max(this.#nextSequence, nextSequence);
  }

  add({ path, number, bytes, sizeBytes }: FoundFile, kind: DataFileKind): void {
    this.damaged(sizeBytes - bytes.length);
    this.#sizes.set(number, sizeBytes);
    if (kind === FILE_KIND.definitions) {
      this.#definitionBytes += sizeBytes;
      this.#addRecords(path, number, kind, bytes);
    } else {
      const [unsettled, voids] = [new Set<number>(), new Set<BatchFile>()];
      const file = { path, number, kind, sizeBytes, unsettled, voids };
      this.#batchFiles.push(file);
      this.#addRecords(path, number, kind, bytes, file);
    }
  }

  /** A file that is not of this session: all of it is bad. */
  addOther({ number, sizeBytes }: FoundFile): void {
    this.damaged(sizeBytes);
    this.#otherSizes.set(number, sizeBytes);
    this.#nextFile = Math.max(this.#nextFile, number + 1);
  }

  #addRecords(path: string, fileNumber: number, kind: DataFileKind, bytes: Buffer, file?: BatchFile): void {
    const indexedBytes = this.#index.files.get(fileNumber)?.endBytes ?? 0;
    const allBad: BadBytes[] = [];
    const onBad = (bad: BadBytes) => {
      this.damaged(bad.bytes.length);
      allBad.push(bad);
      if (bad.position < indexedBytes) this.#isDataDamaged = true;
      // Of what the index covers it says more than the bad bytes do.
      if (bad.position + bad.bytes.length > indexedBytes) this.#damage.add(kind, bad);
    };
    const { batches } = this.#foundIn(fileNumber, kind);
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
          else for (const series of record.series.slice(this.#series.length - record.first)) this.#addSeries(series);
          break;
        case 'intervals':
          for (const [i, number] of record.numbers.entries()) this.#addInterval(number, record.intervalsMs[i]);
          break;
        case 'refs':
          this.#addRefs(record.range, sizeBytes);
          break;
        case 'waiting': {
          const { number, points, minTimeMs } = record.batch;
          batches.set(number, points);
          this.#nextNumber = Math.max(this.#nextNumber, number + 1);
          this.#supersede(this.#files.waiting, number, file);
          const stamped = this.#batches.get(number)?.stamped;
          if (stamped === undefined) this.#batches.set(number, { number, points, minTimeMs, waiting: place });
          break;
        }
        case 'stamped': {
          const { number, points, minTimeMs, sequence, epoch, stampedMs } = record.batch;
          batches.set(number, points);
          this.#nextNumber = Math.max(this.#nextNumber, number + 1);
          this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
          this.#supersede(this.#files.stamped, number, file);
          const stamped = { ...place, sequence, epoch, stampedMs };
          this.#batches.set(number, { number, points, minTimeMs, stamped });
          break;
        }
        case 'settled':
          for (const number of record.numbers) this.#supersede(this.#settled, number, file);
          break;
        default:
      }
    }
    if (allBad.length > 0 && !isOfCrash(allBad)) this.#isDataDamaged = true;
  }

  /** The later of two records of one state (a commit that failed was repeated) makes the earlier void. */
  #supersede(files: Map<number, BatchFile>, number: number, file: BatchFile | undefined): void {
    assert(file !== undefined, 'records of batches are in files of batches');
    const older = files.get(number);
    if (older !== undefined && older !== file) file.voids.add(older);
    files.set(number, file);
  }

  /** What was found in a file, kept apart from what the index says of it. */
  #foundIn(number: number, kind: DataFileKind): { readonly batches: Map<number, number> } {
    const found = { kind, batches: new Map<number, number>() };
    this.#found.set(number, found);
    return found;
  }

  /** Once all files are read: which batches are left, and which file must outlive which. */
  #settle(): LostPoints {
    for (const [number, by] of this.#settled) {
      this.#batches.delete(number);
      for (const file of [this.#files.waiting.get(number), this.#files.stamped.get(number)]) {
        if (file !== undefined && file !== by) by.voids.add(file);
      }
    }
    for (const number of this.#index.settled) this.#batches.delete(number);
    for (const { kind, batches } of this.#index.files.values()) this.#damage.addIndexed(kind, batches);
    if (this.#isIndexLost) this.damaged(SPOOL_HEADER_BYTES);
    const isDamaged = this.#foundIndex?.isDamaged && (this.#isDataDamaged || this.#isDataShort);
    if (this.#isIndexLost || isDamaged) this.#damage.loseIndex();
    const isSettled = (number: number) => this.#settled.has(number) || this.#index.settled.has(number);
    const lost = this.#damage.settle(this.#batches, isSettled);
    for (const [number, by] of this.#files.stamped) {
      const waiting = this.#files.waiting.get(number);
      if (waiting !== undefined) by.voids.add(waiting);
    }
    for (const batch of this.#batches.values()) {
      const { number, stamped } = batch;
      batch.unsure = this.#index.unsure.get(number);
      (stamped === undefined ? this.#files.waiting : this.#files.stamped).get(number)?.unsettled.add(number);
    }
    this.#renewIndex(lost.numbers);
    return lost;
  }

  /** It is synced before the first file is made. Files without any good header are taken for those of now. */
  get #isIndexLost(): boolean {
    return this.#foundIndex === undefined && this.#sizes.size > 0 && (this.#version ?? FIRST_INDEXED) >= FIRST_INDEXED;
  }

  /** True when data files lack what the index lists. */
  get #isDataShort(): boolean {
    return [...this.#index.files].some(([number, { endBytes }]) => endBytes > (this.#sizes.get(number) ?? 0));
  }

  /** Makes the index say what there is. */
  #renewIndex(lost: readonly number[]): void {
    const index = this.#index;
    this.#nextSequence = Math.max(this.#nextSequence, index.nextSequence);
    const files = { sizes: this.#sizes, otherSizes: this.#otherSizes, batches: this.#found };
    const { missingBytes, nextFile, nextBatch } = renewIndex(index, files);
    this.damaged(missingBytes);
    this.#nextFile = Math.max(this.#nextFile, nextFile);
    this.#nextNumber = Math.max(this.#nextNumber, nextBatch);
    for (const number of [...lost, ...this.#settled.keys()]) index.settle(number);
  }

  #addSeries(series: TableSeries): void {
    const number = this.#series.add(series);
    const intervalMs = this.#intervals.get(number);
    if (intervalMs !== undefined) this.#series.get(number).intervalMs = intervalMs;
    this.#intervals.delete(number);
  }

  /** It comes before its series; in version 2 behind it. */
  #addInterval(number: number, intervalMs: number): void {
    if (number < this.#series.length) this.#series.get(number).intervalMs = intervalMs;
    else this.#intervals.set(number, intervalMs);
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

  /**
   * No batch has two stamps, so a run has not used more sequences than there are numbers, from the one that the header of its
   * index says. Not only after bad bytes: a file that the index does not know yet can be gone without any.
   */
  #unusedSequence(): number {
    return this.#nextSequence + this.#nextNumber + SEQUENCES_SKIPPED;
  }

  result(clientSession: Uint8Array): RecoveredSession | NothingLeft {
    const lost = this.#settle();
    const badBytes = this.#badBytes;
    const index = this.#index;
    if (this.#batches.size === 0) return { badBytes, lost, index };
    const nextSequence = this.#unusedSequence();
    index.nextSequence = Math.max(index.nextSequence, nextSequence);
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
      nextSequence,
      ...{ badBytes, lost, index },
      contents: {
        nextFile: this.#nextFile,
        tenant: this.#tenant,
        series: this.#series.length,
        refs: this.#refCounts,
        definitionBytes: this.#definitionBytes,
        batchFiles: this.#batchFiles,
      },
    };
  }
}
