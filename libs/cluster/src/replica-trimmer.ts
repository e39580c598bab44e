import { type Clock, isTidemarkError, type Log, sleep, type Topic } from '@tidemark/ports';
import type { PositionsReader } from '@tidemark/query';
import type { ServiceEvents } from './service-context.ts';

/** A process that consumes partitions of a topic. */
export interface Consumer {
  readonly topic: Topic;
  readonly address: string;
  readonly partitions: readonly number[];
  readonly reader: PositionsReader;
}

export interface ReplicaTrimmerOptions {
  readonly log: Pick<Log, 'trim'>;
  readonly clock: Clock;
  readonly events: Pick<ServiceEvents, 'error' | 'info'>;
  /** Everybody who consumes: nothing is let go of that one of them may still need. */
  readonly consumers: readonly Consumer[];
}

const TURN_MS = 10_000;

/**
 * Lets go of the log below what every replica of a partition has committed; never by time. A replica that can't be
 * asked, or that does not know of a partition that it is to own, holds all of that partition.
 */
export class ReplicaTrimmer {
  readonly #options: ReplicaTrimmerOptions;
  readonly #stop = new AbortController();
  readonly #trimmed = new Map<string, number>();
  #problem: string | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ReplicaTrimmerOptions) {
    this.#options = options;
  }

  /** Why nothing can be let go of now; undefined when it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Trims once what can be; `start` does it again and again. */
  async turn(): Promise<void> {
    for (const [key, { topic, partition, committed }] of await this.#committed()) {
      if (committed <= (this.#trimmed.get(key) ?? 0)) continue;
      await this.#options.log.trim(topic, partition, committed);
      this.#trimmed.set(key, committed);
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.turn();
        this.#tell(undefined);
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        this.#tell(error.message);
      }
      await sleep(clock, TURN_MS, this.#stop.signal);
    }
  }

  /** Of each partition, the least offset that all of its consumers have committed. */
  async #committed(): Promise<Map<string, { topic: Topic; partition: number; committed: number }>> {
    const least = new Map<string, { topic: Topic; partition: number; committed: number }>();
    await Promise.all(
      this.#options.consumers.map(async ({ topic, partitions, reader }) => {
        const positions = await reader.positions(this.#stop.signal).then(
          (reply) => new Map(reply.positions.map((position) => [position.partition, position.committedOffset])),
          (error: unknown) => {
            if (!isTidemarkError(error)) throw error;
            return new Map<number, number>();
          },
        );
        for (const partition of partitions) {
          const key = `${topic}/${partition}`;
          const committed = Math.min(
            positions.get(partition) ?? 0,
            least.get(key)?.committed ?? Number.POSITIVE_INFINITY,
          );
          least.set(key, { topic, partition, committed });
        }
      }),
    );
    return least;
  }

  #tell(problem: string | undefined): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#options.events.info('the log can be trimmed again');
    else this.#options.events.error('the log can not be trimmed', { reason: problem });
  }
}
