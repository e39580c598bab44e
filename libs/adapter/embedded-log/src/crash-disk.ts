import { below, type Disk, type DiskFile, type DiskLock, type Random, TidemarkError } from '@tidemark/ports';

const SECTOR_BYTES = 64;

type Change = { readonly at: number; readonly bytes: Uint8Array } | { readonly sizeBytes: number };

/** One file: the content that programs see, the content of the medium, and the unsynced changes between them. */
interface Content {
  seen: Uint8Array;
  stored: Uint8Array;
  changes: Change[];
}

export interface DiskFaults {
  /** Share of failing writes, 0 to 1. */
  readonly failedWrite: number;
  readonly failedSync: number;
}

/**
 * A disk in memory that a test can fill, break and crash. A failed write has written any prefix. A failed sync
 * drops any of the changes before it, keeps showing them, and lets the next sync succeed without them, as Linux does.
 * A crash of the machine keeps any sectors of the writes since the last sync; a kill of the process keeps all writes.
 */
export class CrashDisk implements Disk {
  readonly #random: Random;
  readonly #faults: DiskFaults;
  readonly #files = new Map<string, Content>();
  #life = 0;
  #operationsLeft = Number.POSITIVE_INFINITY;
  #locked = false;
  full = false;
  readonly fired = { failedWrite: 0, failedSync: 0, full: 0, stopped: 0, tornCrash: 0 };

  constructor(random: Random, faults: DiskFaults) {
    this.#random = random;
    this.#faults = faults;
  }

  /** Fails every operation from the `count`th on. */
  stopAfter(count: number): void {
    this.#operationsLeft = count;
  }

  /** Invalidates every open handle and lock; with `crash` the machine crashes as well. */
  reboot(crash: boolean): void {
    this.#life++;
    this.#operationsLeft = Number.POSITIVE_INFINITY;
    this.#locked = false;
    if (!crash) return;
    for (const content of this.#files.values()) {
      for (const change of content.changes) this.#storeSome(content, change);
      if (content.changes.length > 0) this.fired.tornCrash++;
      content.changes = [];
      content.seen = Uint8Array.from(content.stored);
    }
  }

  #storeSome(content: Content, change: Change): void {
    if ('sizeBytes' in change) {
      if (this.#random.next() < 0.5) content.stored = resized(content.stored, change.sizeBytes);
      return;
    }
    const whole = this.#random.next() < 0.3;
    for (let from = 0; from < change.bytes.length; from += SECTOR_BYTES) {
      if (!whole && this.#random.next() < 0.5) continue;
      content.stored = written(content.stored, change.bytes.subarray(from, from + SECTOR_BYTES), change.at + from);
    }
  }

  /** Counts an operation; throws when the disk has stopped or the handle is from before a reboot. */
  async #step(life: number): Promise<void> {
    await Promise.resolve();
    if (this.#random.next() < 0.2) await new Promise((resolve) => setImmediate(resolve));
    if (life === this.#life && this.#operationsLeft-- > 0) return;
    this.fired.stopped++;
    throw new TidemarkError('unavailable', 'the disk is gone');
  }

  async open(path: string, options: { create?: boolean } = {}): Promise<DiskFile> {
    const life = this.#life;
    await this.#step(life);
    let content = this.#files.get(path);
    if (content === undefined) {
      if (!options.create) throw new TidemarkError('not_found', `no file ${path}`);
      content = { seen: new Uint8Array(0), stored: new Uint8Array(0), changes: [] };
      this.#files.set(path, content);
    }
    return this.#handle(content, life);
  }

  #handle(content: Content, life: number): DiskFile {
    return {
      read: async (target, position) => {
        await this.#step(life);
        const part = content.seen.subarray(position, position + target.length);
        target.set(part);
        return part.length;
      },
      write: async (source, position) => {
        const bytes = Uint8Array.from(source);
        try {
          await this.#step(life);
          if (this.full) {
            this.fired.full++;
            throw new TidemarkError('resource_exhausted', 'the disk is full');
          }
          if (this.#random.next() < this.#faults.failedWrite) {
            this.fired.failedWrite++;
            throw new TidemarkError('unavailable', 'a write failed');
          }
          this.#change(content, position, bytes);
        } catch (error) {
          if (life === this.#life)
            this.#change(content, position, bytes.subarray(0, below(this.#random, bytes.length + 1)));
          throw error;
        }
      },
      sync: async () => {
        await this.#step(life);
        const fails = this.#random.next() < this.#faults.failedSync;
        for (const change of content.changes) {
          if (fails) this.#storeSome(content, change);
          else content.stored = applied(content.stored, change);
        }
        content.changes = [];
        if (!fails) return;
        this.fired.failedSync++;
        throw new TidemarkError('unavailable', 'a sync failed');
      },
      truncate: async (sizeBytes) => {
        await this.#step(life);
        content.changes.push({ sizeBytes });
        content.seen = resized(content.seen, sizeBytes);
      },
      sizeBytes: async () => {
        await this.#step(life);
        return content.seen.length;
      },
      close: async () => undefined,
    };
  }

  #change(content: Content, at: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    content.changes.push({ at, bytes });
    content.seen = written(content.seen, bytes, at);
  }

  async list(path: string): Promise<string[]> {
    await this.#step(this.#life);
    const prefix = path === '' ? '' : `${path}/`;
    const inside = [...this.#files.keys()].filter((name) => name.startsWith(prefix));
    return [...new Set(inside.map((name) => name.slice(prefix.length).split('/')[0]))].sort();
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step(this.#life);
    const content = this.#files.get(from);
    if (content === undefined) throw new TidemarkError('not_found', `no file ${from}`);
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  async remove(path: string): Promise<void> {
    await this.#step(this.#life);
    for (const name of [...this.#files.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#files.delete(name);
    }
  }

  async lock(): Promise<DiskLock> {
    const life = this.#life;
    if (this.#locked) throw new TidemarkError('failed_precondition', 'locked');
    this.#locked = true;
    return {
      release: async () => {
        if (life === this.#life) this.#locked = false;
      },
    };
  }

  async space() {
    return { freeBytes: this.full ? 0 : 2 ** 30, totalBytes: 2 ** 30 };
  }

  /** The bytes of a file as programs see them. A test changes them to simulate bit rot. */
  bytesOf(path: string): Uint8Array {
    return this.#files.get(path)?.seen ?? new Uint8Array(0);
  }

  /** Sets the content of a file, already durable. */
  put(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { seen: Uint8Array.from(bytes), stored: Uint8Array.from(bytes), changes: [] });
  }

  paths(): string[] {
    return [...this.#files.keys()].sort();
  }
}

function applied(bytes: Uint8Array, change: Change): Uint8Array {
  return 'sizeBytes' in change ? resized(bytes, change.sizeBytes) : written(bytes, change.bytes, change.at);
}

function written(bytes: Uint8Array, source: Uint8Array, at: number): Uint8Array {
  const out = resized(bytes, Math.max(bytes.length, at + source.length));
  out.set(source, at);
  return out;
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes);
  out.set(bytes.subarray(0, sizeBytes));
  return out;
}
