/**
 * How far the log of a store may be trimmed: below what its database has in tables. What only its write-ahead log has must stay in
 * the log, which is where it is read again if a write-ahead file is damaged.
 */
export class TrimPoint {
  readonly #flush: () => Promise<void>;
  readonly #canTrim: (offset: number) => boolean;
  #offset: number;

  /**
   * `offset` is where the database ended when it was opened, which makes tables of everything. `canTrim` says whether a trim below
   * an offset would delete anything: only then a flush is worth its table.
   */
  constructor(offset: number, flush: () => Promise<void>, canTrim: (offset: number) => boolean) {
    this.#offset = offset;
    this.#flush = flush;
    this.#canTrim = canTrim;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Moves to what was committed, if that lets the log be trimmed. Returns whether it moved. Errors: those of the database. */
  async committed(offset: number): Promise<boolean> {
    if (offset <= this.#offset || !this.#canTrim(offset)) return false;
    await this.#flush();
    this.#offset = offset;
    return true;
  }
}
