import { below, type Random } from '@tidemark/ports';

/** Bytes that a disk writes atomically; a crash tears a write between sectors. */
export const SECTOR_BYTES = 512;

type Change = { readonly position: number; readonly bytes: Uint8Array } | { readonly sizeBytes: number };

/** Growing bytes, with zeros in gaps. */
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
 * A file's content in the page cache and on the disk. Between two syncs the disk may apply any subset of the changes,
 * by sectors, in any order.
 */
export class CachedFile {
  readonly #cached = new Content();
  readonly #durable = new Content();
  #unsynced: Change[] = [];
  /** True when the file's name is durable, after a sync of the file or a rename. */
  named = false;

  get sizeBytes(): number {
    return this.#cached.sizeBytes;
  }

  view(): Uint8Array {
    return this.#cached.view();
  }

  /** Changes bits of one byte, on the disk and in the page cache: the disk returns other bytes than were written. */
  rot(position: number, mask: number): void {
    for (const content of [this.#cached, this.#durable]) {
      if (position < content.sizeBytes) content.view()[position] ^= mask;
    }
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
   * Fails a sync as the kernel does: it drops the pages that it could not write, and marks them clean. The cache still
   * shows all changes; the disk has some of them, and no later sync writes the rest.
   */
  failSync(random: Random): void {
    this.#keepSome(random);
    this.#unsynced = [];
  }

  /** Applies a power cut: only the content of the disk remains. */
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

  /** Applies one of these to the disk: no change, all, a prefix whose last change is torn, or any sectors. */
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

/** Splits a write into its parts in the sectors of the file. */
function* sectorsOf(position: number, bytes: Uint8Array): Generator<{ position: number; bytes: Uint8Array }> {
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
    yield { position: position + at, bytes: bytes.subarray(at, end) };
    at = end;
  }
}
