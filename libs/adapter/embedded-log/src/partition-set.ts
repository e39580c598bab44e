import { TidemarkError, type Topic } from '@tidemark/ports';

/** The number of partitions of each topic; a topic without an entry has none. */
export type PartitionCounts = Readonly<Partial<Record<Topic, number>>>;

export const TOPICS: readonly Topic[] = ['points', 'tags', 'control', 'windows'];

/** One value for each partition of each topic. */
export class PartitionSet<T> {
  readonly #rows = new Map<Topic, T[]>();

  constructor(counts: PartitionCounts, make: (topic: Topic, partition: number) => T) {
    for (const topic of TOPICS) {
      this.#rows.set(
        topic,
        Array.from({ length: counts[topic] ?? 0 }, (_, partition) => make(topic, partition)),
      );
    }
  }

  /** The value of a partition. Throws `not_found` when the log has no such partition. */
  get(topic: Topic, partition: number): T {
    const found = this.#rows.get(topic)?.[partition];
    if (found !== undefined) return found;
    throw new TidemarkError('not_found', `the log has no partition ${partition} of ${topic}`, { topic, partition });
  }

  all(): T[] {
    return [...this.#rows.values()].flat();
  }
}
