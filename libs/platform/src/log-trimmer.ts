import type { Log, Topic } from '@tidemark/ports';

/** Lets go of the log below what every consumer of a partition has committed; never by time. */
export class LogTrimmer {
  readonly #log: Log;
  readonly #trimmed = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The only consumer of this partition has everything below `offset` on disk. */
  async committed(topic: Topic, partition: number, offset: number): Promise<void> {
    const key = `${topic}/${partition}`;
    if (offset <= (this.#trimmed.get(key) ?? 0)) return;
    this.#trimmed.set(key, offset);
    await this.#log.trim(topic, partition, offset);
  }
}
