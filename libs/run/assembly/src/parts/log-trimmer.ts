import { type Log, TidemarkError, type Topic } from '@tidemark/ports';

/** An offset below which every consumer of a partition has committed everything. */
export interface CommittedOffset {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  /** Ids of the logs that the consumers have read, where they know them. */
  readonly logIds?: ReadonlySet<string | undefined>;
}

/** Why a partition was not trimmed; `next` is where its log ends. */
export interface KeptLog {
  readonly because: 'another log' | 'beyond the end';
  readonly next: number;
}

/** Deletes the records that every consumer of a partition has committed; never by time. */
export class LogTrimmer {
  readonly #log: Pick<Log, 'bounds' | 'trim'>;
  readonly #trimmed = new Map<string, number>();

  constructor(log: Pick<Log, 'bounds' | 'trim'>) {
    this.#log = log;
  }

  /** Trims a partition, or returns why it does not. Errors: those of the log. */
  async trim({ topic, partition, offset, logIds }: CommittedOffset): Promise<KeptLog | undefined> {
    const key = `${topic}/${partition}`;
    if (offset <= this.#trimmedTo(key)) return undefined;
    const { id, next } = await this.#log.bounds(topic, partition);
    // The offsets of a deleted topic do not apply to a new topic of the same name: trimming would delete records that
    // no consumer has read.
    if (logIds !== undefined && [...logIds].some((one) => one !== id)) return { because: 'another log', next };
    // The same is true of a log that was replaced while its consumers had their state.
    if (offset > next) return { because: 'beyond the end', next };
    await this.#log.trim(topic, partition, offset);
    this.#trimmed.set(key, Math.max(offset, this.#trimmedTo(key)));
    return undefined;
  }

  /**
   * Trims below `offset`, which the only consumer of the partition has committed. Errors: `failed_precondition`, those
   * of the log.
   */
  async committed(topic: Topic, partition: number, offset: number): Promise<void> {
    const kept = await this.trim({ topic, partition, offset });
    if (kept === undefined) return;
    const { next } = kept;
    const message = `${topic}/${partition} is not trimmed: its store has committed ${offset}, but the log ends at ${next}`;
    throw new TidemarkError('failed_precondition', message, { topic, partition, offset, next });
  }

  #trimmedTo(key: string): number {
    return this.#trimmed.get(key) ?? 0;
  }
}
