import { type Log, TidemarkError, type Topic } from '@tidemark/ports';

/** Lets go of the log below what every consumer of a partition has committed; never by time. */
export class LogTrimmer {
  readonly #log: Pick<Log, 'bounds' | 'trim'>;
  readonly #trimmed = new Map<string, number>();

  constructor(log: Pick<Log, 'bounds' | 'trim'>) {
    this.#log = log;
  }

  /** The only consumer of this partition has everything below `offset` on disk. */
  async committed(topic: Topic, partition: number, offset: number): Promise<void> {
    const key = `${topic}/${partition}`;
    if (offset <= (this.#trimmed.get(key) ?? 0)) return;
    // A log that was replaced under the stores has records that they have never read.
    const { next } = await this.#log.bounds(topic, partition);
    if (offset > next) {
      const message = `${key} is kept: its store has committed ${offset}, and the log ends at ${next}`;
      throw new TidemarkError('failed_precondition', message, { topic, partition, offset, next });
    }
    this.#trimmed.set(key, offset);
    await this.#log.trim(topic, partition, offset);
  }
}
