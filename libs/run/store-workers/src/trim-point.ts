/** What a trim of a log would do. */
export interface TrimmableLog {
  /** Whether a trim below `offset` deletes anything. */
  canTrim(offset: number): boolean;
  /** Whether it deletes more than a trim below `before`. */
  canTrimMore(before: number, offset: number): boolean;
}

/** How far the log of a store may be trimmed. */
export interface TrimPoint {
  /** The log is needed from here on. */
  readonly offset: number;
  /**
   * Notes a commit, and returns whether a trim below `offset` is due: also when an earlier one has failed. Errors: those of
   * the database.
   */
  committed(offset: number): Promise<boolean>;
}

/**
 * How far the log of a store without snapshots may be trimmed: below what its database has in tables. What only its write-ahead log has must
 * stay in the log, which is where it is read again if a write-ahead file is damaged.
 */
export class TableTrimPoint implements TrimPoint {
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
   * Moves to what was committed, if that lets more of the log be trimmed: only then a flush is worth its table. A trim that
   * has failed is due again, which costs no table.
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

/**
 * How far the log of a store with snapshots may be trimmed: below its newest one, from which and the log its database can be made
 * again. Making it has made tables of what it has.
 */
export class SnapshotTrimPoint implements TrimPoint {
  readonly #log: () => TrimmableLog | undefined;
  #offset = 0;

  constructor(log: () => TrimmableLog | undefined) {
    this.#log = log;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Notes a snapshot that has every record below `offset`. */
  made(offset: number): void {
    this.#offset = Math.max(this.#offset, offset);
  }

  /** Whether a snapshot with the records below `offset` would let more of the log be trimmed. */
  frees(offset: number): boolean {
    return this.#log()?.canTrimMore(this.#offset, offset) ?? false;
  }

  async committed(): Promise<boolean> {
    return this.#log()?.canTrim(this.#offset) ?? false;
  }
}
