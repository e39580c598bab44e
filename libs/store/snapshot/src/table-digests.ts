import type { FileDigest } from './file-digest.ts';

/** Max tables whose checksums are remembered; those that were used least recently go first. */
export const REMEMBERED_TABLES = 65_536;

/** An entry of `TableDigests`: plain data, which a message between threads can carry. */
export type TableDigest = readonly [table: string, digest: FileDigest];

/**
 * Remembers the checksums of tables, so that a snapshot reads only the new ones. A table of a database never changes: its name
 * and size stand for its content. Keep one for all stores of a process, or one for each.
 */
export class TableDigests {
  readonly #digests: Map<string, FileDigest>;

  /** `known` are the entries of another one. */
  constructor(known: Iterable<TableDigest> = []) {
    this.#digests = new Map(known);
  }

  /** What is remembered, for another one; those that were used least recently are first. */
  get entries(): TableDigest[] {
    return [...this.#digests];
  }

  /** `database` is an id of the database that no other one has, also not one that is later in its folder. */
  get(database: string, name: string, bytes: number): FileDigest | undefined {
    const key = keyOf(database, name, bytes);
    const digest = this.#digests.get(key);
    if (digest === undefined) return undefined;
    this.#digests.delete(key);
    this.#digests.set(key, digest);
    return digest;
  }

  set(database: string, name: string, bytes: number, digest: FileDigest): void {
    this.#digests.set(keyOf(database, name, bytes), digest);
    if (this.#digests.size <= REMEMBERED_TABLES) return;
    const [oldest] = this.#digests.keys();
    this.#digests.delete(oldest);
  }
}

function keyOf(database: string, name: string, bytes: number): string {
  return JSON.stringify([database, name, bytes]);
}
