import { below, type Random } from '@tidemark/ports';

/** What a disk writes as one; a crash tears a write between sectors. */
export const SECTOR_BYTES = 512;

type Change = { readonly position: number; readonly bytes: Uint8Array } | { readonly sizeBytes: number };

/** Bytes that grow, with zeros in gaps. */
class Content {
  sizeBytes = 0;
  #buffer = new Uint8Array(0);

  view(): Uint8Array {
    return this.#buffer.subarray(0, this.sizeBytes);
  }

  apply(change: Change): void {
    if ('sizeBytes' in change) this.resize(change.sizeBytes);
    else {
      this.resize(Math.max(this.sizeBytes, change.position + change.bytes.length));
      this.#buffer.set(change.bytes, change.position);
    }
  }

  resize(sizeBytes: number): void {
    if (sizeBytes > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(sizeBytes, 2 * this.#buffer.length));
      grown.set(this.view());
      this.#buffer = grown;
    }
    if (sizeBytes < this.sizeBytes) this.#buffer.fill(0, sizeBytes, this.sizeBytes);
    this.sizeBytes = sizeBytes;
  }
}

/**
 * A file as the page cache sees it, and as the disk has it. Between two syncs the disk may take any part of the changes,
 * a sector at a time, in any order.
 */
export class CachedFile {
  readonly #cached = new Content();
  readonly #durable = new Content();
  #unsynced: Change[] = [];
  /** Whether the file's name is on the disk, by a sync of the file or a rename. */
  named = false;

  get sizeBytes(): number {
    return this.#cached.sizeBytes;
  }

  view(): Uint8Array {
    return this.#cached.view();
  }

  write(position: number, bytes: Uint8Array): void {
    this.#change({ position, bytes });
  }

  truncate(sizeBytes: number): void {
    this.#change({ sizeBytes });
  }

  sync(): void {
    for (const change of this.#unsynced) this.#durable.apply(change);
    this.#unsynced = [];
    this.named = true;
  }

  /**
   * A sync that fails: the kernel has tried, drops what it could not write, and calls the pages clean. The cache goes on
   * showing what was written; the disk has some of it, and no later sync brings the rest.
   */
  failSync(random: Random): void {
    this.#keepSome(random);
    this.#unsynced = [];
  }

  /** The power goes: what is left is what the disk has. */
  loseCache(random: Random): void {
    this.#keepSome(random);
    this.#unsynced = [];
    this.#cached.resize(0);
    this.#cached.apply({ position: 0, bytes: this.#durable.view().slice() });
  }

  #change(change: Change): void {
    this.#cached.apply(change);
    this.#unsynced.push(change);
  }

  /** One of: nothing, all, a prefix whose last change is torn, any sectors. */
  #keepSome(random: Random): void {
    const way = below(random, 4);
    if (way === 0) return;
    const count = way === 2 ? below(random, this.#unsynced.length + 1) : this.#unsynced.length;
    for (const [index, change] of this.#unsynced.slice(0, count).entries()) {
      if ('sizeBytes' in change) {
        if (way !== 3 || random.next() < 0.5) this.#durable.apply(change);
        continue;
      }
      const torn = way === 2 && index === count - 1;
      let keeping = true;
      for (const sector of sectorsOf(change.position, change.bytes)) {
        if (way === 3) keeping = random.next() < 0.5;
        else if (torn && random.next() < 0.3) keeping = false;
        if (keeping) this.#durable.apply(sector);
      }
    }
  }
}

/** The parts of a write that lie in different sectors of the file. */
function* sectorsOf(position: number, bytes: Uint8Array): Generator<{ position: number; bytes: Uint8Array }> {
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
    yield { position: position + at, bytes: bytes.subarray(at, end) };
    at = end;
  }
}
