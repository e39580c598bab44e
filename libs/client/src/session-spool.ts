import { ByteWriter } from '@tidemark/bytes';
import { assert, type Disk } from '@tidemark/ports';
import type { EpochRoutes } from './epoch-routes.ts';
import type { SeriesTable, TableSeries } from './series-table.ts';
import { type Place, readPlace, SpoolFile } from './spool-file.ts';
import {
  encodeRecord,
  FILE_KIND,
  type FileKind,
  type SpoolRecord,
  type StampedRecord,
  type WaitingRecord,
} from './spool-format.ts';

/** Definitions of one record: large tables are written in pieces. */
const SERIES_A_RECORD = 1000;
const REFS_A_RECORD = 100_000;

/** A file of batches, and which batches need it. */
export interface BatchFile {
  readonly path: string;
  sizeBytes: number;
  readonly unsettled: Set<number>;
}

/** What stands already in the files of a client session that is taken up again. */
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
}

/**
 * The spool of one client session: definitions, and batches until they are settled. Records are appended to memory and
 * become durable together at `commit`. Files of batches are deleted oldest first, so that a record that supersedes
 * another is never gone before it.
 */
export class SessionSpool {
  readonly createdMs: number;
  readonly #options: SessionSpoolOptions;
  readonly #definitions = new ByteWriter();
  readonly #batches = new ByteWriter();
  readonly #batchFiles: BatchFile[] = [];
  readonly #filesOfBatch = new Map<number, BatchFile[]>();
  #definitionFile: SpoolFile | undefined;
  #batchFile: SpoolFile | undefined;
  #active: BatchFile | undefined;
  #nextFile = 1;
  #definitionBytes = 0;
  #tenant: string | undefined;
  /** How much of the tables the files hold, and how much they will after the next commit. */
  #series = 0;
  #refs = new Map<string, number>();
  #nextSeries = 0;
  readonly #nextRefs = new Map<string, number>();
  #pendingPlaces: { number: number; sizeBytes: number; offset: number; placed: (place: Place) => void }[] = [];
  #settled: number[] = [];

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
    for (const file of contents.batchFiles) for (const number of file.unsettled) this.#needs(number, file);
  }

  /** Bytes of all files of this client session. */
  get sizeBytes(): number {
    return this.#definitionBytes + this.#batchFiles.reduce((sum, file) => sum + file.sizeBytes, 0);
  }

  /** Bytes that the next commit adds. */
  get pendingBytes(): number {
    return this.#definitions.length + this.#batches.length;
  }

  /** True while some batch is kept that could be dropped. */
  get canDrop(): boolean {
    return this.#batchFiles.some((file) => file.unsettled.size > 0);
  }

  /** Adds what the tables have gained; call it before a commit whose batches use it. */
  define(tenant: string, series: SeriesTable, epochs: Iterable<EpochRoutes>): void {
    if (this.#tenant === undefined && tenant !== '') {
      this.#tenant = tenant;
      this.#define({ type: 'tenant', tenant });
    }
    while (this.#nextSeries < series.length) {
      const first = this.#nextSeries;
      const count = Math.min(SERIES_A_RECORD, series.length - first);
      const part: TableSeries[] = Array.from({ length: count }, (_, i) => series.get(first + i));
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

  #define(record: SpoolRecord): void {
    encodeRecord(record, this.#definitions);
  }

  /** `placed` is called once the record is durable. */
  addWaiting(batch: WaitingRecord, placed: (place: Place) => void): void {
    this.#add({ type: 'waiting', batch }, batch.number, placed);
  }

  addStamped(batch: StampedRecord, placed: (place: Place) => void): void {
    this.#add({ type: 'stamped', batch }, batch.number, placed);
  }

  #add(record: SpoolRecord, number: number, placed: (place: Place) => void): void {
    const offset = this.#batches.length;
    this.#pendingPlaces.push({ number, sizeBytes: encodeRecord(record, this.#batches), offset, placed });
  }

  /** The batch is over: it needs its files no more. Recorded with the next commit, without a sync of its own. */
  settled(number: number): void {
    const files = this.#filesOfBatch.get(number);
    if (files === undefined) return;
    this.#settled.push(number);
    for (const file of files) file.unsettled.delete(number);
    this.#filesOfBatch.delete(number);
  }

  /**
   * Writes what was added and syncs it, definitions first. `nextSequence` is where a new file says that numbers go on.
   * On an error nothing of it counts as written, and later commits use new files. Errors: the disk's.
   */
  async commit(nextSequence: number): Promise<void> {
    try {
      if (this.#definitions.length > 0) {
        this.#definitionFile ??= await this.#create(FILE_KIND.definitions, nextSequence);
        this.#definitionBytes += this.#definitions.length;
        await this.#definitionFile.append(this.#definitions.view());
        await this.#definitionFile.sync();
        this.#definitions.reset();
        this.#series = this.#nextSeries;
        for (const [key, refs] of this.#nextRefs) this.#refs.set(key, refs);
        this.#nextRefs.clear();
      }
      if (this.#pendingPlaces.length > 0) await this.#commitBatches(nextSequence);
    } catch (error) {
      await this.#abandon();
      throw error;
    }
    await this.#deleteSettled();
  }

  async #commitBatches(nextSequence: number): Promise<void> {
    this.#addSettled();
    const [file, active] = await this.#activeFile(nextSequence);
    const start = file.sizeBytes;
    active.sizeBytes += this.#batches.length;
    await file.append(this.#batches.view());
    await file.sync();
    this.#batches.reset();
    const places = this.#pendingPlaces;
    this.#pendingPlaces = [];
    for (const { number, offset, sizeBytes, placed } of places) {
      // A stamped record supersedes the waiting one, whose file need not be kept for it any more.
      for (const older of this.#filesOfBatch.get(number) ?? []) older.unsettled.delete(number);
      this.#filesOfBatch.delete(number);
      this.#needs(number, active);
      placed({ path: file.path, position: start + offset, sizeBytes });
    }
  }

  /** Writes which batches are settled, if that is all there is to write; without a sync, since it may be lost. */
  async writeSettled(nextSequence: number): Promise<void> {
    assert(this.#pendingPlaces.length === 0, 'batches are written by commit');
    if (this.#settled.length === 0) return;
    try {
      this.#addSettled();
      const [file, active] = await this.#activeFile(nextSequence);
      active.sizeBytes += this.#batches.length;
      await file.append(this.#batches.view());
      this.#batches.reset();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
    await this.#deleteSettled();
  }

  #addSettled(): void {
    if (this.#settled.length > 0) encodeRecord({ type: 'settled', numbers: this.#settled }, this.#batches);
    this.#settled = [];
  }

  async #activeFile(nextSequence: number): Promise<[SpoolFile, BatchFile]> {
    if (this.#batchFile !== undefined && this.#batchFile.sizeBytes >= this.#options.fileBytes) {
      await this.#batchFile.close();
      this.#batchFile = undefined;
    }
    if (this.#batchFile === undefined || this.#active === undefined) {
      this.#batchFile = await this.#create(FILE_KIND.batches, nextSequence);
      this.#active = { path: this.#batchFile.path, sizeBytes: this.#batchFile.sizeBytes, unsettled: new Set() };
      this.#batchFiles.push(this.#active);
    }
    return [this.#batchFile, this.#active];
  }

  /** Reads a record back. Errors: `data_loss`, and the disk's. */
  read(place: Place): Promise<SpoolRecord> {
    return readPlace(this.#options.disk, place);
  }

  /** Deletes the oldest file that some batch needs, and those before it. Returns the batches that were in it. */
  async dropOldest(nextSequence: number): Promise<number[]> {
    const index = this.#batchFiles.findIndex((file) => file.unsettled.size > 0);
    if (index < 0) return [];
    const dropped = [...this.#batchFiles[index].unsettled];
    // The newest file says where sequences go on, and no later record may go to a file that is gone.
    if (index === this.#batchFiles.length - 1) {
      await this.#batchFile?.close();
      this.#batchFile = undefined;
      const [file] = await this.#activeFile(nextSequence);
      await file.sync();
    }
    for (const number of dropped) this.settled(number);
    await this.#deleteSettled();
    return dropped;
  }

  async #deleteSettled(): Promise<void> {
    while (this.#batchFiles.length > 1 && this.#batchFiles[0].unsettled.size === 0) {
      await this.#options.disk.remove(this.#batchFiles[0].path);
      this.#batchFiles.shift();
    }
  }

  async close(): Promise<void> {
    await this.#definitionFile?.close();
    await this.#batchFile?.close();
    this.#definitionFile = undefined;
    this.#batchFile = undefined;
  }

  /** Deletes the client session's folder. */
  async remove(): Promise<void> {
    await this.close();
    await this.#options.disk.remove(this.#options.folder);
    this.#batchFiles.length = 0;
    this.#definitionBytes = 0;
  }

  async #create(kind: FileKind, nextSequence: number): Promise<SpoolFile> {
    const { disk, folder, clientSession, createdMs } = this.#options;
    const path = `${folder}/${fileName(this.#nextFile++, kind)}`;
    const file = await SpoolFile.create(disk, path, { kind, clientSession, nextSequence, createdMs });
    if (kind === FILE_KIND.definitions) this.#definitionBytes += file.sizeBytes;
    return file;
  }

  /** After a failure nobody knows what of the files is durable: later records go to new ones. */
  async #abandon(): Promise<void> {
    await this.close();
    this.#definitions.reset();
    this.#batches.reset();
    this.#pendingPlaces = [];
    this.#nextSeries = this.#series;
    this.#nextRefs.clear();
  }

  #needs(number: number, file: BatchFile): void {
    file.unsettled.add(number);
    const files = this.#filesOfBatch.get(number);
    if (files === undefined) this.#filesOfBatch.set(number, [file]);
    else if (!files.includes(file)) files.push(file);
  }
}

export function refsKey(epoch: number, partition: number): string {
  return `${epoch}/${partition}`;
}

/** `00000001.definitions`, `00000002.batches`: one row of numbers for both. */
export function fileName(number: number, kind: FileKind): string {
  const suffix = kind === FILE_KIND.definitions ? 'definitions' : 'batches';
  return `${String(number).padStart(8, '0')}.${suffix}`;
}

export function parseFileName(name: string): { number: number; kind: FileKind } | undefined {
  const match = /^(\d{8})\.(definitions|batches)$/.exec(name);
  if (match === null) return undefined;
  return { number: Number(match[1]), kind: match[2] === 'batches' ? FILE_KIND.batches : FILE_KIND.definitions };
}
