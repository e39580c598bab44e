import { ByteWriter, toHex } from '@tidemark/bytes';
import { assert, type Disk } from '@tidemark/ports';
import { IndexState } from './index-state.ts';
import { SpoolFile } from './spool-file.ts';
import { encodeRecord, FILE_KIND, type SpoolRecord } from './spool-format.ts';
import { type IndexName, indexPath } from './spool-names.ts';

/** A rewritten index is at least this large before the next rewrite, unless the files of the spool are smaller. */
const REWRITE_BYTES = 65_536;

export interface SpoolIndexOptions {
  readonly disk: Disk;
  readonly clientSession: Uint8Array;
  readonly createdMs: number;
  /** Bound of a data file. */
  readonly fileBytes: number;
}

/**
 * The index of one client session: which data files exist, how long they are, and whose batches they have. It is written
 * behind them and later shows what was cut or removed. recover-session.test.ts and lost-spool.test.ts cover it.
 */
export class SpoolIndex {
  readonly #options: SpoolIndexOptions;
  readonly #state: IndexState;
  readonly #pending = new ByteWriter();
  /** Files on the disk, the one that is written last. */
  #paths: string[];
  #nextGeneration: number;
  #file: SpoolFile | undefined;
  /** Bytes of it when it was begun. */
  #begunBytes = 0;
  #isSynced = false;

  /** `state` and `found` are those of an earlier run. */
  constructor(options: SpoolIndexOptions, state = new IndexState(), found: readonly IndexName[] = []) {
    this.#options = options;
    this.#state = state;
    this.#paths = found.map(({ path }) => path);
    this.#nextGeneration = (found.at(-1)?.generation ?? 0) + 1;
  }

  get sizeBytes(): number {
    return (this.#file?.sizeBytes ?? 0) + this.#pending.length;
  }

  add(record: SpoolRecord): void {
    this.#state.apply(record);
    encodeRecord(record, this.#pending);
  }

  /** Writes what was added, without a sync. After an error the next write begins a new file. Errors: the disk's. */
  async write(): Promise<void> {
    try {
      if (this.#file === undefined || this.#isLong(this.#file)) return await this.#rewrite();
      if (this.#pending.length === 0) return;
      this.#isSynced = false;
      await this.#file.append(this.#pending.view());
      this.#pending.reset();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /** Writes what was added, and makes it durable. Errors: the disk's. */
  async sync(): Promise<void> {
    await this.write();
    if (this.#isSynced) return;
    try {
      await this.#file?.sync();
      this.#isSynced = true;
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /** Says that the data files are about to be removed as a whole. Errors: the disk's. */
  async end(): Promise<void> {
    if (this.#paths.length === 0) return;
    this.add({ type: 'ended' });
    await this.sync();
  }

  /** Removes the index itself, after the data files. Errors: the disk's. */
  async remove(): Promise<void> {
    await this.#abandon();
    await this.#removeOld(0);
  }

  /** Never fails: what is not written is missing in a lower bound. */
  async close(): Promise<void> {
    if (this.#file !== undefined) await this.sync().catch(() => undefined);
    await this.#abandon();
  }

  #isLong({ sizeBytes }: SpoolFile): boolean {
    const limitBytes = Math.max(Math.min(REWRITE_BYTES, this.#options.fileBytes), this.#begunBytes);
    return sizeBytes - this.#begunBytes > limitBytes;
  }

  /** Begins a new file with the state of now; the older ones are removed once it is durable. */
  async #rewrite(): Promise<void> {
    await this.#abandon();
    const { disk, clientSession, createdMs } = this.#options;
    const path = indexPath(toHex(clientSession), this.#nextGeneration++);
    this.#paths.push(path);
    const { nextSequence } = this.#state;
    const file = await SpoolFile.create(disk, path, { kind: FILE_KIND.index, clientSession, nextSequence, createdMs });
    this.#file = file;
    const records = new ByteWriter();
    for (const record of this.#state.records()) encodeRecord(record, records);
    if (this.#state.isEnded) encodeRecord({ type: 'ended' }, records);
    await file.append(records.view());
    await file.sync();
    this.#pending.reset();
    this.#begunBytes = file.sizeBytes;
    this.#isSynced = true;
    await this.#removeOld(1);
  }

  async #removeOld(kept: number): Promise<void> {
    while (this.#paths.length > kept) {
      const [path] = this.#paths;
      assert(path !== undefined, 'a list with entries has a first one');
      await this.#options.disk.remove(path);
      this.#paths.shift();
    }
  }

  async #abandon(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}
