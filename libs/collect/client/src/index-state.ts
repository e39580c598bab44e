import type { DataFileKind, SpoolRecord } from './spool-format.ts';

/** Batches of one record: an index of many is rewritten in pieces. */
const BATCHES_A_RECORD = 10_000;
const NUMBERS_A_RECORD = 100_000;

export interface IndexedFile {
  readonly kind: DataFileKind;
  /** Bytes that are synced. */
  endBytes: number;
  /** Points of each batch with a record in it, settled or not, by batch number. */
  readonly batches: ReadonlyMap<number, number>;
}

/** What the files of one client session have, as its index says. */
export class IndexState {
  readonly #files = new Map<number, IndexedFile & { readonly batches: Map<number, number> }>();
  /** In how many files a batch has a record. */
  readonly #holders = new Map<number, number>();
  /** Settled batches with a record in some file. */
  readonly settled = new Set<number>();
  /** Points that sends of a batch may have left out when they stored the others, by its number. */
  readonly unsure = new Map<number, number>();
  nextSequence = 0;
  /** True when every batch is settled, and the files are about to be removed. */
  isEnded = false;

  /** The data files that were not removed, by number. */
  get files(): ReadonlyMap<number, IndexedFile> {
    return this.#files;
  }

  apply(record: SpoolRecord): void {
    if (record.type === 'extent') {
      const { file, kind, endBytes, nextSequence, numbers, points } = record.extent;
      this.add(file, kind, endBytes, numbers, points);
      this.nextSequence = Math.max(this.nextSequence, nextSequence);
    } else if (record.type === 'settled') {
      for (const number of record.numbers) this.settle(number);
    } else if (record.type === 'removed') {
      for (const file of record.files) this.#remove(file);
    } else if (record.type === 'unsure') {
      for (const [i, number] of record.numbers.entries())
        if (this.#holders.has(number)) this.unsure.set(number, record.points[i]);
    } else if (record.type === 'ended') this.isEnded = true;
  }

  /** Notes that a file has at least this many bytes, with records of these batches. */
  add(
    number: number,
    kind: DataFileKind,
    endBytes: number,
    batches: readonly number[] = [],
    points: readonly number[] = [],
  ): void {
    const known = this.#files.get(number);
    const file = known ?? { kind, endBytes, batches: new Map<number, number>() };
    file.endBytes = Math.max(file.endBytes, endBytes);
    if (known === undefined) this.#files.set(number, file);
    for (const [i, batch] of batches.entries()) {
      if (!file.batches.has(batch)) this.#holders.set(batch, (this.#holders.get(batch) ?? 0) + 1);
      file.batches.set(batch, points[i]);
    }
  }

  settle(number: number): void {
    if (this.#holders.has(number)) this.settled.add(number);
    this.unsure.delete(number);
  }

  /** The records that lead to this state. */
  *records(): Generator<SpoolRecord> {
    const { nextSequence } = this;
    for (const [file, { kind, endBytes, batches }] of this.#files) {
      const all = [...batches];
      for (let from = 0; from === 0 || from < all.length; from += BATCHES_A_RECORD) {
        const part = all.slice(from, from + BATCHES_A_RECORD);
        const [numbers, points] = [part.map(([number]) => number), part.map(([, count]) => count)];
        yield { type: 'extent', extent: { file, kind, endBytes, nextSequence, numbers, points } };
      }
    }
    const settled = [...this.settled];
    for (let from = 0; from < settled.length; from += NUMBERS_A_RECORD)
      yield { type: 'settled', numbers: settled.slice(from, from + NUMBERS_A_RECORD) };
    const unsure = [...this.unsure];
    for (let from = 0; from < unsure.length; from += BATCHES_A_RECORD) {
      const part = unsure.slice(from, from + BATCHES_A_RECORD);
      yield { type: 'unsure', numbers: part.map(([number]) => number), points: part.map(([, count]) => count) };
    }
  }

  #remove(number: number): void {
    const file = this.#files.get(number);
    this.#files.delete(number);
    for (const batch of file?.batches.keys() ?? []) {
      const holders = (this.#holders.get(batch) ?? 0) - 1;
      if (holders > 0) {
        this.#holders.set(batch, holders);
        continue;
      }
      this.#holders.delete(batch);
      this.settled.delete(batch);
      this.unsure.delete(batch);
    }
  }
}
