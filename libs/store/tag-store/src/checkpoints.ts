/**
 * Records between two checkpoints, which keep the hash of the state: at offsets that are the same on every replica,
 * independent of its commits. A change of this makes replicas of two programs incomparable until they agree again.
 */
export const CHECKPOINT_RECORDS = 256;
/** Number of the newest checkpoints that are kept. */
export const CHECKPOINTS_KEPT = 64;

export interface TagCheckpoint {
  /** End of the records that the hash covers. */
  readonly offset: number;
  /** The hash as 32 hexadecimal digits. */
  readonly hash: string;
}

/** The state's hashes at the newest checkpoints, ascending by offset. */
export class Checkpoints {
  readonly #kept: TagCheckpoint[];

  constructor(stored: readonly TagCheckpoint[] = []) {
    this.#kept = [...stored];
  }

  get all(): readonly TagCheckpoint[] {
    return this.#kept;
  }

  get newestOffset(): number | undefined {
    return this.#kept.at(-1)?.offset;
  }

  /** True when a state that has read up to `offset` is at a checkpoint. */
  static isAt(offset: number): boolean {
    return offset % CHECKPOINT_RECORDS === 0;
  }

  /** Adds the newest checkpoint; returns the offsets of the dropped ones. */
  add(checkpoint: TagCheckpoint): number[] {
    this.#kept.push(checkpoint);
    return this.#kept.splice(0, Math.max(0, this.#kept.length - CHECKPOINTS_KEPT)).map(({ offset }) => offset);
  }
}
