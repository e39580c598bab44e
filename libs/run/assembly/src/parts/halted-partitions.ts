import type { Clock, Topic } from '@tidemark/ports';

/** Since when the stores of a partition are halted, by the monotonic clock, ms, and why. */
export interface PartitionHalt {
  readonly sinceMs: number;
  readonly reason: string;
}

/** The halts of the stores of a process, for its intake. */
export class HaltedPartitions {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #halts = new Map<string, PartitionHalt>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Notes that a store halted, or, without a reason, that it continues. A halt that lasts keeps its beginning. */
  note(topic: Topic, partition: number, reason: string | undefined): void {
    const part = `${topic}/${partition}`;
    if (reason === undefined) this.#halts.delete(part);
    else {
      const sinceMs = this.#halts.get(part)?.sinceMs ?? this.#clock.monotonicMs();
      this.#halts.set(part, { sinceMs, reason: `${part} is halted: ${reason}` });
    }
  }

  /** The halt of the partition's stores that has lasted longest. */
  of(partition: number): PartitionHalt | undefined {
    const [points, tags] = [this.#halts.get(`points/${partition}`), this.#halts.get(`tags/${partition}`)];
    if (points === undefined || tags === undefined) return points ?? tags;
    return points.sinceMs <= tags.sinceMs ? points : tags;
  }
}
