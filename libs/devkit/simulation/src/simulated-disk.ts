import {
  below,
  type Clock,
  type Disk,
  type DiskFile,
  type DiskLock,
  type Random,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import { CachedFile } from './cached-file.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { Incarnation } from './incarnation.ts';

export interface SimulatedDiskOptions {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Faults: `disk.full` (writes a prefix, `resource_exhausted`), `disk.write-error` (a prefix, `unavailable`),
   * `disk.sync-error` (`unavailable`; some changes are lost permanently), `disk.slow` (100 times the latency).
   */
  readonly faults?: FaultPlan;
  /** Size, bytes. Default 1 GiB. A larger write keeps the prefix that fits, and fails with `resource_exhausted`. */
  readonly capacityBytes?: number;
  /** Max latency of an operation, ms of virtual time. Default 2. */
  readonly maxLatencyMs?: number;
}

/** How a machine stops: `process` loses writes in progress to the kernel, `power` also unsynced changes. */
export type CrashKind = 'process' | 'power';

/**
 * The disk of one machine: files by path, each with its content in the page cache and its durable content. It outlives
 * the machine's processes, which use it through `bind`. A file's name is durable after a sync or rename of the file, a
 * removal when its promise resolves.
 */
export class SimulatedDisk {
  readonly #options: SimulatedDiskOptions;
  readonly #files = new Map<string, CachedFile>();
  readonly #locks = new Map<string, Incarnation>();
  /** Writes in progress: a crash may leave a prefix of each in the file. */
  readonly #underWay = new Set<{ file: CachedFile; position: number; bytes: Uint8Array }>();

  constructor(options: SimulatedDiskOptions) {
    this.#options = options;
  }

  /** Makes the disk for one process. */
  bind(incarnation: Incarnation): Disk {
    incarnation.atEnd(() => {
      for (const [path, holder] of this.#locks) if (holder === incarnation) this.#locks.delete(path);
    });
    return new ProcessDisk(this, incarnation);
  }

  /** Stops the machine. Its processes must have ended before. */
  crash(kind: CrashKind): void {
    const { random } = this.#options;
    for (const { file, position, bytes } of this.#underWay) {
      const written = below(random, bytes.length + 1);
      if (written > 0) file.write(position, bytes.subarray(0, written));
    }
    this.#underWay.clear();
    if (kind === 'process') return;
    for (const [path, file] of this.#files) {
      if (!file.named && random.next() < 0.5) this.#files.delete(path);
      else file.loseCache(random);
    }
  }

  usedBytes(): number {
    let sum = 0;
    for (const file of this.#files.values()) sum += file.sizeBytes;
    return sum;
  }

  /** Returns the bytes of a file in the page cache, for checks from outside. */
  peek(path: string): Uint8Array | undefined {
    return this.#files.get(path)?.view().slice();
  }

  /** Returns the paths of all files, sorted, for checks from outside. */
  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** Flips the bits of `mask` in one byte of a file that is not being written. */
  rot(path: string, position: number, mask: number): void {
    this.#files.get(path)?.rot(position, mask);
  }

  async open(path: string, create: boolean, incarnation: Incarnation): Promise<CachedFile> {
    await this.#delay();
    incarnation.assertAlive();
    let file = this.#files.get(path);
    if (file === undefined) {
      if (!create) throw new TidemarkError('not_found', `no file ${path}`, { path });
      file = new CachedFile();
      this.#files.set(path, file);
    }
    return file;
  }

  async list(path: string): Promise<string[]> {
    await this.#delay();
    const prefix = prefixOf(path);
    const names = new Set<string>();
    for (const file of this.#files.keys()) {
      if (file.startsWith(prefix)) names.add(file.slice(prefix.length).split('/')[0]);
    }
    return [...names].sort();
  }

  async rename(from: string, to: string, incarnation: Incarnation): Promise<void> {
    await this.#delay();
    incarnation.assertAlive();
    const moved = [...this.#files].filter(([path]) => path === from || path.startsWith(prefixOf(from)));
    if (moved.length === 0) throw new TidemarkError('not_found', `no file ${from}`, { path: from });
    for (const [path, file] of moved) {
      this.#files.delete(path);
      this.#files.set(to + path.slice(from.length), file);
      file.named = true;
    }
  }

  async remove(path: string, incarnation: Incarnation): Promise<void> {
    await this.#delay();
    incarnation.assertAlive();
    const prefix = prefixOf(path);
    for (const file of this.#files.keys()) {
      if (file === path || file.startsWith(prefix)) this.#files.delete(file);
    }
  }

  async lock(path: string, incarnation: Incarnation): Promise<DiskLock> {
    await this.#delay();
    incarnation.assertAlive();
    if (this.#locks.has(path)) {
      throw new TidemarkError('failed_precondition', `the folder ${path} is in use`, { path });
    }
    this.#locks.set(path, incarnation);
    return {
      release: () =>
        incarnation.guard(async () => {
          this.#locks.delete(path);
        }),
    };
  }

  async read(file: CachedFile, target: Uint8Array, position: number): Promise<number> {
    await this.#delay();
    const part = file.view().subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  async write(file: CachedFile, source: Uint8Array, position: number, incarnation: Incarnation): Promise<void> {
    const { random, faults } = this.#options;
    // Not `slice`, which shares the memory when `source` is a Buffer.
    const write = { file, position, bytes: Uint8Array.from(source) };
    this.#underWay.add(write);
    await this.#delay();
    // A crash has already settled this write.
    this.#underWay.delete(write);
    incarnation.assertAlive();
    const grows = Math.max(0, position + source.length - file.sizeBytes);
    const freeBytes = this.freeBytes();
    let failure: TidemarkError | undefined;
    let written = source.length;
    if (grows > freeBytes) {
      failure = new TidemarkError('resource_exhausted', 'no space left on the disk');
      written = Math.max(0, source.length - (grows - freeBytes));
    } else if (faults?.fires('disk.full')) {
      failure = new TidemarkError('resource_exhausted', 'no space left on the disk');
      written = below(random, source.length);
    } else if (faults?.fires('disk.write-error')) {
      failure = new TidemarkError('unavailable', 'injected: the disk failed to write');
      written = below(random, source.length);
    }
    if (written > 0) file.write(position, write.bytes.subarray(0, written));
    if (failure !== undefined) throw failure;
  }

  async sync(file: CachedFile, incarnation: Incarnation): Promise<void> {
    await this.#delay();
    incarnation.assertAlive();
    if (this.#options.faults?.fires('disk.sync-error')) {
      file.failSync(this.#options.random);
      throw new TidemarkError('unavailable', 'injected: the disk failed to sync');
    }
    file.sync();
  }

  async truncate(file: CachedFile, sizeBytes: number, incarnation: Incarnation): Promise<void> {
    await this.#delay();
    incarnation.assertAlive();
    file.truncate(sizeBytes);
  }

  freeBytes(): number {
    return Math.max(0, this.totalBytes() - this.usedBytes());
  }

  totalBytes(): number {
    return this.#options.capacityBytes ?? 1_073_741_824;
  }

  async #delay(): Promise<void> {
    const { clock, random, faults, maxLatencyMs = 2 } = this.#options;
    await sleep(clock, random.next() * maxLatencyMs * (faults?.fires('disk.slow') ? 100 : 1));
  }
}

function prefixOf(path: string): string {
  return path === '' || path === '.' ? '' : `${path}/`;
}

class ProcessDisk implements Disk {
  readonly #disk: SimulatedDisk;
  readonly #incarnation: Incarnation;

  constructor(disk: SimulatedDisk, incarnation: Incarnation) {
    this.#disk = disk;
    this.#incarnation = incarnation;
  }

  open(path: string, options?: { create?: boolean }): Promise<DiskFile> {
    return this.#incarnation.guard(async () => {
      const file = await this.#disk.open(path, options?.create === true, this.#incarnation);
      return new ProcessFile(this.#disk, file, this.#incarnation);
    });
  }

  list(path: string): Promise<string[]> {
    return this.#incarnation.guard(() => this.#disk.list(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#incarnation.guard(() => this.#disk.rename(from, to, this.#incarnation));
  }

  remove(path: string): Promise<void> {
    return this.#incarnation.guard(() => this.#disk.remove(path, this.#incarnation));
  }

  lock(path: string): Promise<DiskLock> {
    return this.#incarnation.guard(() => this.#disk.lock(path, this.#incarnation));
  }

  space(): Promise<{ freeBytes: number; totalBytes: number }> {
    return this.#incarnation.guard(async () => ({
      freeBytes: this.#disk.freeBytes(),
      totalBytes: this.#disk.totalBytes(),
    }));
  }
}

class ProcessFile implements DiskFile {
  readonly #disk: SimulatedDisk;
  readonly #file: CachedFile;
  readonly #incarnation: Incarnation;
  #closed = false;

  constructor(disk: SimulatedDisk, file: CachedFile, incarnation: Incarnation) {
    this.#disk = disk;
    this.#file = file;
    this.#incarnation = incarnation;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#do(() => this.#disk.read(this.#file, target, position));
  }

  write(source: Uint8Array, position: number): Promise<void> {
    return this.#do(() => this.#disk.write(this.#file, source, position, this.#incarnation));
  }

  sync(): Promise<void> {
    return this.#do(() => this.#disk.sync(this.#file, this.#incarnation));
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#do(() => this.#disk.truncate(this.#file, sizeBytes, this.#incarnation));
  }

  sizeBytes(): Promise<number> {
    return this.#do(async () => this.#file.sizeBytes);
  }

  close(): Promise<void> {
    return this.#incarnation.guard(async () => {
      this.#closed = true;
    });
  }

  #do<T>(operation: () => Promise<T>): Promise<T> {
    return this.#incarnation.guard(async () => {
      if (this.#closed) throw new TidemarkError('failed_precondition', 'the file is closed');
      return operation();
    });
  }
}
