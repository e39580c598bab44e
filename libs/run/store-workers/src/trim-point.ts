/** What a trim of a log would do. */
export interface TrimmableLog {
  /** Whether a trim below `offset` deletes anything. */
  canTrim(offset: number): boolean;
  /** Whether it deletes more than a trim below `before`. */
  canTrimMore(before: number, offset: number): boolean;
}

/**
 * How far the log of a store may be trimmed: below what its database has in tables. What only its write-ahead log has must
 * stay in the log, which is where it is read again if a write-ahead file is damaged.
 */
export class TrimPoint {
  readonly #flush: () => Promise<void>;
  readonly #log: () => TrimmableLog | undefined;
  #offset: number;

  /**
   * `offset` is where the database ended when it was opened, which makes tables of everything. `log` is undefined until it is
   * known.
   */
  constructor(offset: number, flush: () => Promise<void>, log: () => TrimmableLog | undefined) {
    this.#offset = offset;
    this.#flush = flush;
    this.#log = log;
  }

  get offset(): number {
    return this.#offset;
  }

  /**
   * Moves to what was committed, if that lets more of the log be trimmed: only then a flush is worth its table. Returns whether
   * a trim below the `offset` of this point is due: also when an earlier one has failed, which costs no table. Errors: those of
   * the database.
   */
  async committed(offset: number): Promise<boolean> {
    const log = this.#log();
    if (log === undefined) return false;
    if (offset <= this.#offset || !log.canTrimMore(this.#offset, offset)) return log.canTrim(this.#offset);
    await this.#flush();
    this.#offset = offset;
    return true;
  }
}
