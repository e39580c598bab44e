import { isTidemarkError, type Log, type Topic } from '@tidemark/ports';

const READ = { maxBytes: 1 << 20, waitMs: 500 };
const RETRY_MS = 50;

/** Keeps every record of a topic from its first on, before it is trimmed: what the log says in the end is judged by it. */
export class LogFollower {
  readonly #log: Log;
  readonly #topic: Topic;
  readonly #records: Uint8Array[][];
  readonly #running: Promise<void>[] = [];
  readonly #stop = new AbortController();
  /** Why the copy is not whole. */
  readonly problems: string[] = [];

  constructor(log: Log, topic: Topic, partitions: number) {
    this.#log = log;
    this.#topic = topic;
    this.#records = Array.from({ length: partitions }, () => []);
  }

  start(): void {
    for (const partition of this.#records.keys()) this.#running.push(this.#follow(partition));
  }

  of(partition: number): readonly Uint8Array[] {
    return this.#records[partition];
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #follow(partition: number): Promise<void> {
    const records = this.#records[partition];
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for (const { offset, value } of await this.#log.read(this.#topic, partition, records.length, {
          ...READ,
          signal,
        })) {
          if (offset !== records.length) throw new Error(`offset ${offset} follows ${records.length - 1}`);
          records.push(Uint8Array.from(value));
        }
      } catch (error) {
        const isPassing = isTidemarkError(error, 'unavailable') || isTidemarkError(error, 'deadline_exceeded');
        if (!isPassing && !isTidemarkError(error, 'cancelled')) {
          this.problems.push(`${this.#topic}/${partition} can't be followed at ${records.length}: ${String(error)}`);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
