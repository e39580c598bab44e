import { ByteWriter } from '@tidemark/bytes';
import { assert, type Disk, isTidemarkError } from '@tidemark/ports';
import type { EpochRoutes } from './epoch-routes.ts';
import type { SeriesTable, TableSeries } from './series-table.ts';
import { type Place, readPlace, SpoolFile } from './spool-file.ts';
import {
  type DataFileKind,
  encodeRecord,
  FILE_KIND,
  type SpoolRecord,
  type StampedRecord,
  type WaitingRecord,
} from './spool-format.ts';
import type { SpoolIndex } from './spool-index.ts';
import { fileName } from './spool-names.ts';

/** Definitions of one record: large tables are written in pieces. */
const SERIES_A_RECORD = 1000;
const REFS_A_RECORD = 100_000;

/** A file of batches, waiting or stamped. */
export interface BatchFile {
  readonly path: string;
  /** That its name has. */
  readonly number: number;
  readonly kind: BatchFileKind;
  sizeBytes: number;
  /** The batches that need it. */
  readonly unsettled: Set<number>;
  /** Files with records that records of this file make void: it must outlive them. */
  readonly voids: Set<BatchFile>;
}

export type BatchFileKind = typeof FILE_KIND.waiting | typeof FILE_KIND.stamped;

interface PendingPlace {
  readonly number: number;
  readonly points: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly placed: (place: Place) => void;
}

/** The contents of the files of a restored client session. */
export interface SpoolContents {
  readonly nextFile: number;
  readonly tenant: string | undefined;
  readonly series: number;
  /** Refs defined, by epoch and partition. */
  readonly refs: ReadonlyMap<string, number>;
  readonly definitionBytes: number;
  /** Oldest first. */
  readonly batchFiles: readonly BatchFile[];
}

export interface SessionSpoolOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly clientSession: Uint8Array;
  readonly createdMs: number;
  readonly fileBytes: number;
  readonly index: SpoolIndex;
}

/** A file that is being written, and its number. */
interface NumberedFile {
  readonly file: SpoolFile;
  readonly number: number;
}

/**
 * The spool of one client session: definitions, and batches until they are settled. Records are appended to memory and
 * become durable together at `commit`. A file of batches is deleted when none needs it, but never before a file
 * whose records it makes void. Waiting and stamped batches have files of their own, as they are settled at other times.
 * The index is written behind the files, and before one of them is deleted.
 */
export class SessionSpool {
  readonly createdMs: number;
  readonly #options: SessionSpoolOptions;
  readonly #definitions = new ByteWriter();
  readonly #batches = new ByteWriter();
  readonly #batchFiles: BatchFile[] = [];
  /** Files that have a record of a batch, or may have one because its write failed. */
  readonly #filesOfBatch = new Map<number, Set<BatchFile>>();
  #definitionFile: NumberedFile | undefined;
  readonly #active = new Map<BatchFileKind, { readonly file: SpoolFile; readonly batchFile: BatchFile }>();
  #nextFile = 1;
  #definitionBytes = 0;
  #tenant: string | undefined;
  /** How much of the tables the files hold, and how much they will after the next commit. */
  #series = 0;
  #refs = new Map<string, number>();
  #nextSeries = 0;
  readonly #nextRefs = new Map<string, number>();
  #pending: PendingPlace[] = [];
  /** A commit takes batches of one kind. */
  #pendingKind: BatchFileKind = FILE_KIND.waiting;
  #settled: number[] = [];
  #isRemoved = false;
  /** Files that have records of the batches in `#settled`. */
  readonly #settledFiles = new Set<BatchFile>();

  constructor(options: SessionSpoolOptions, contents?: SpoolContents) {
    this.createdMs = options.createdMs;
    this.#options = options;
    if (contents === undefined) return;
    this.#nextFile = contents.nextFile;
    this.#tenant = contents.tenant;
    this.#series = contents.series;
    this.#nextSeries = contents.series;
    this.#refs = new Map(contents.refs);
    this.#definitionBytes = contents.definitionBytes;
    this.#batchFiles.push(...contents.batchFiles);
    for (const file of contents.batchFiles) for (const number of file.unsettled) this.#standsIn(number, file);
  }

  /** Bytes of all files of this client session. */
  get sizeBytes(): number {
    const batchBytes = this.#batchFiles.reduce((sum, file) => sum + file.sizeBytes, 0);
    return this.#definitionBytes + batchBytes + this.#options.index.sizeBytes;
  }

  /** Bytes that the next commit adds. */
  get pendingBytes(): number {
    return this.#definitions.length + this.#batches.length;
  }

  /** True once the files are deleted. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** True while some batch is kept that could be dropped. */
  get canDrop(): boolean {
    return this.#batchFiles.some((file) => file.unsettled.size > 0);
  }

  /** Adds the definitions that the tables have gained; call it before a commit whose batches use them. */
  define(tenant: string, series: SeriesTable, epochs: Iterable<EpochRoutes>): void {
    if (this.#tenant === undefined && tenant !== '') {
      this.#tenant = tenant;
      this.#define({ type: 'tenant', tenant });
    }
    while (this.#nextSeries < series.length) {
      const first = this.#nextSeries;
      const count = Math.min(SERIES_A_RECORD, series.length - first);
      const part: TableSeries[] = Array.from({ length: count }, (_, i) => series.get(first + i));
      // First: where the file is cut, no series may have lost its interval.
      this.#defineIntervals(first, part);
      this.#define({ type: 'series', first, series: part });
      this.#nextSeries += count;
    }
    for (const { epoch, tables } of epochs) {
      for (const [partition, table] of tables) {
        const key = refsKey(epoch, partition);
        let firstRef = this.#nextRefs.get(key) ?? this.#refs.get(key) ?? 0;
        while (firstRef < table.length) {
          const numbers = table.slice(firstRef, firstRef + REFS_A_RECORD);
          this.#define({ type: 'refs', range: { epoch, partition, firstRef, numbers } });
          firstRef += numbers.length;
          this.#nextRefs.set(key, firstRef);
        }
      }
    }
  }

  #defineIntervals(first: number, series: readonly TableSeries[]): void {
    const numbers: number[] = [];
    const intervalsMs: number[] = [];
    for (const [i, { intervalMs }] of series.entries()) {
      if (intervalMs === undefined) continue;
      numbers.push(first + i);
      intervalsMs.push(intervalMs);
    }
    if (numbers.length > 0) this.#define({ type: 'intervals', numbers, intervalsMs });
  }

  #define(record: SpoolRecord): void {
    encodeRecord(record, this.#definitions);
  }

  /** `placed` is called once the record is durable. */
  addWaiting(batch: WaitingRecord, placed: (place: Place) => void): void {
    this.#add({ type: 'waiting', batch }, FILE_KIND.waiting, batch, placed);
  }

  addStamped(batch: StampedRecord, placed: (place: Place) => void): void {
    this.#add({ type: 'stamped', batch }, FILE_KIND.stamped, batch, placed);
  }

  #add(
    record: SpoolRecord,
    kind: BatchFileKind,
    { number, points }: WaitingRecord | StampedRecord,
    placed: (place: Place) => void,
  ): void {
    assert(this.#pending.length === 0 || this.#pendingKind === kind, 'a commit takes batches of one kind');
    this.#pendingKind = kind;
    const offset = this.#batches.length;
    this.#pending.push({ number, points, sizeBytes: encodeRecord(record, this.#batches), offset, placed });
  }

  /**
   * Notes how many points of a batch its sends may leave out. Written without a sync: it survives a crash of the program.
   * Errors: the disk's.
   */
  async addUnsure(number: number, points: number): Promise<void> {
    this.#options.index.add({ type: 'unsure', numbers: [number], points: [points] });
    await this.#options.index.write();
  }

  /** Makes durable what the index says since the files were read, so that the next start counts no loss again. Errors: the disk's. */
  async noteLoss(): Promise<void> {
    await this.#options.index.sync();
  }

  /** Marks a batch as settled: its files may be deleted. Recorded with the next commit, without a sync of its own. */
  settled(number: number): void {
    const files = this.#filesOfBatch.get(number);
    if (files === undefined) return;
    this.#settled.push(number);
    for (const file of files) {
      file.unsettled.delete(number);
      this.#settledFiles.add(file);
    }
    this.#filesOfBatch.delete(number);
  }

  /**
   * Writes what was added and syncs it, definitions first. `nextSequence` goes into the header of a new file: sequences continue there.
   * On an error nothing of it counts as written, and later commits use new files. Errors: the disk's.
   */
  async commit(nextSequence: number): Promise<void> {
    try {
      if (this.#definitions.length > 0) await this.#commitDefinitions(nextSequence);
      if (this.#pending.length > 0) await this.#commitBatches(nextSequence);
    } catch (error) {
      await this.#abandon();
      throw error;
    }
    await this.#deleteSettled();
  }

  async #commitDefinitions(nextSequence: number): Promise<void> {
    this.#definitionFile ??= await this.#create(FILE_KIND.definitions, nextSequence);
    const { file, number } = this.#definitionFile;
    this.#definitionBytes += this.#definitions.length;
    await file.append(this.#definitions.view());
    await file.sync();
    this.#index(file, number, FILE_KIND.definitions, nextSequence);
    this.#definitions.reset();
    this.#series = this.#nextSeries;
    for (const [key, refs] of this.#nextRefs) this.#refs.set(key, refs);
    this.#nextRefs.clear();
  }

  #index(
    { sizeBytes }: SpoolFile,
    file: number,
    kind: DataFileKind,
    nextSequence: number,
    batches: readonly PendingPlace[] = [],
  ): void {
    const [numbers, points] = [batches.map(({ number }) => number), batches.map((batch) => batch.points)];
    const extent = { file, kind, endBytes: sizeBytes, nextSequence, numbers, points };
    this.#options.index.add({ type: 'extent', extent });
  }

  async #commitBatches(nextSequence: number): Promise<void> {
    const { file, batchFile } = await this.#activeFile(this.#pendingKind, nextSequence);
    if (this.#pendingKind === FILE_KIND.stamped) this.#addSettled(batchFile);
    const start = file.sizeBytes;
    // Noted before the write: after a failure it is unknown which of them are in the file.
    for (const { number } of this.#pending) this.#standsIn(number, batchFile);
    await this.#append(file, batchFile);
    await file.sync();
    this.#index(file, batchFile.number, batchFile.kind, nextSequence, this.#pending);
    await this.#writeIndex();
    const places = this.#pending;
    this.#pending = [];
    for (const { number, offset, sizeBytes, placed } of places) {
      for (const older of this.#filesOfBatch.get(number) ?? []) {
        older.unsettled.delete(number);
        if (older !== batchFile) batchFile.voids.add(older);
      }
      this.#filesOfBatch.set(number, new Set([batchFile]));
      batchFile.unsettled.add(number);
      placed({ path: file.path, position: start + offset, sizeBytes });
    }
  }

  /** What can't be written now is written with what comes next: the batches are durable without it. */
  async #writeIndex(): Promise<void> {
    await succeeds(this.#options.index.write());
  }

  /** Writes the settled batches when no other record is pending. It does not sync, because this record may be lost. */
  async writeSettled(nextSequence: number): Promise<void> {
    assert(this.#pending.length === 0, 'batches are written by commit');
    if (this.#settled.length === 0) return;
    try {
      const { file, batchFile } = await this.#activeFile(FILE_KIND.stamped, nextSequence);
      this.#addSettled(batchFile);
      await this.#append(file, batchFile);
    } catch (error) {
      await this.#abandon();
      throw error;
    }
    await this.#writeIndex();
    await this.#deleteSettled();
  }

  async #append(file: SpoolFile, batchFile: BatchFile): Promise<void> {
    batchFile.sizeBytes += this.#batches.length;
    await file.append(this.#batches.view());
    this.#batches.reset();
  }

  #addSettled(active: BatchFile): void {
    if (this.#settled.length > 0) {
      const record: SpoolRecord = { type: 'settled', numbers: this.#settled };
      encodeRecord(record, this.#batches);
      this.#options.index.add(record);
    }
    this.#settled = [];
    for (const file of this.#settledFiles) if (file !== active) active.voids.add(file);
    this.#settledFiles.clear();
  }

  async #activeFile(kind: BatchFileKind, nextSequence: number): Promise<{ file: SpoolFile; batchFile: BatchFile }> {
    const active = this.#active.get(kind);
    if (active !== undefined && active.file.sizeBytes < this.#options.fileBytes) return active;
    await this.#retire(kind);
    const { file, number } = await this.#create(kind, nextSequence);
    const { path, sizeBytes } = file;
    const batchFile: BatchFile = { path, number, kind, sizeBytes, unsettled: new Set(), voids: new Set() };
    this.#batchFiles.push(batchFile);
    this.#active.set(kind, { file, batchFile });
    return { file, batchFile };
  }

  async #retire(kind: BatchFileKind): Promise<void> {
    const active = this.#active.get(kind);
    this.#active.delete(kind);
    await active?.file.close();
  }

  /** Reads a record back. Errors: `data_loss`, and the disk's. */
  read(place: Place): Promise<SpoolRecord> {
    return readPlace(this.#options.disk, place);
  }

  /** Deletes the oldest file that some batch needs. Returns the batches that were in it. */
  async dropOldest(nextSequence: number): Promise<number[]> {
    const oldest = this.#batchFiles.find((file) => file.unsettled.size > 0);
    if (oldest === undefined) return [];
    const dropped = [...oldest.unsettled];
    if (this.#active.get(oldest.kind)?.batchFile === oldest) await this.#retire(oldest.kind);
    if (oldest === this.#newestStamped()) {
      const { file } = await this.#activeFile(FILE_KIND.stamped, nextSequence);
      await file.sync();
    }
    for (const number of dropped) this.settled(number);
    await this.#deleteSettled();
    return dropped;
  }

  /** The file that says where sequences continue: it is kept until a newer one exists. */
  #newestStamped(): BatchFile | undefined {
    return this.#batchFiles.findLast(({ kind }) => kind === FILE_KIND.stamped);
  }

  async #deleteSettled(): Promise<void> {
    const kept = new Set([this.#newestStamped(), ...[...this.#active.values()].map(({ batchFile }) => batchFile)]);
    for (;;) {
      const free = this.#batchFiles.filter(
        (file) => !kept.has(file) && file.unsettled.size === 0 && file.voids.size === 0,
      );
      if (free.length === 0) return;
      await this.#delete(free);
    }
  }

  /** The index says first, durably, that the files are not lost; on a full disk when they have made room. */
  async #delete(files: readonly BatchFile[]): Promise<void> {
    const { disk, index } = this.#options;
    index.add({ type: 'removed', files: files.map(({ number }) => number) });
    const isNoted = await succeeds(index.sync());
    for (const file of files) {
      await disk.remove(file.path);
      this.#batchFiles.splice(this.#batchFiles.indexOf(file), 1);
      this.#settledFiles.delete(file);
      for (const other of this.#batchFiles) other.voids.delete(file);
    }
    if (!isNoted) await succeeds(index.sync());
  }

  async close(): Promise<void> {
    await this.#closeFiles();
    await this.#options.index.close();
  }

  async #closeFiles(): Promise<void> {
    await this.#definitionFile?.file.close();
    this.#definitionFile = undefined;
    await this.#retire(FILE_KIND.waiting);
    await this.#retire(FILE_KIND.stamped);
  }

  /** Deletes the client session's files. After an error it can be called again. Errors: the disk's. */
  async remove(): Promise<void> {
    const { disk, folder, index } = this.#options;
    await this.#closeFiles();
    // A full disk must not keep what makes room.
    await succeeds(index.end());
    await disk.remove(folder);
    await index.remove();
    this.#batchFiles.length = 0;
    this.#definitionBytes = 0;
    this.#isRemoved = true;
  }

  /** The index is durable before the first file, and has all that is in earlier ones before a later. */
  async #create(kind: DataFileKind, nextSequence: number): Promise<NumberedFile> {
    const { disk, folder, clientSession, createdMs, index } = this.#options;
    await index.sync();
    const number = this.#nextFile++;
    const path = `${folder}/${fileName(number, kind)}`;
    const file = await SpoolFile.create(disk, path, { kind, clientSession, nextSequence, createdMs });
    if (kind === FILE_KIND.definitions) this.#definitionBytes += file.sizeBytes;
    return { file, number };
  }

  /** Starts new files: after a failure it is unknown which records of the old ones are durable. */
  async #abandon(): Promise<void> {
    await this.#closeFiles();
    this.#definitions.reset();
    this.#batches.reset();
    this.#pending = [];
    this.#nextSeries = this.#series;
    this.#nextRefs.clear();
  }

  #standsIn(number: number, file: BatchFile): void {
    const files = this.#filesOfBatch.get(number);
    if (files === undefined) this.#filesOfBatch.set(number, new Set([file]));
    else files.add(file);
  }
}

/** False for an error of the disk. */
async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (isTidemarkError(error)) return false;
    throw error;
  }
}

export function refsKey(epoch: number, partition: number): string {
  return `${epoch}/${partition}`;
}
