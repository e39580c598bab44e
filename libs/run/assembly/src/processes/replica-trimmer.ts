import type { ReplicaPosition } from '@tidemark/contract';
import { type Clock, type Events, isTidemarkError, type Log, sleep, TidemarkError, type Topic } from '@tidemark/ports';
import type { PositionsReader } from '@tidemark/store-rpc';
import { LogTrimmer } from '../parts/log-trimmer.ts';

/** A process that consumes partitions of a topic. */
export interface Consumer {
  readonly topic: Topic;
  readonly address: string;
  readonly partitions: readonly number[];
  readonly reader: PositionsReader;
}

export interface ReplicaTrimmerOptions {
  readonly log: Pick<Log, 'bounds' | 'trim'>;
  readonly clock: Clock;
  readonly events: Pick<Events, 'error' | 'info'>;
  /** Everybody who consumes: nothing is let go of that one of them may still need. */
  readonly consumers: readonly Consumer[];
}

const TURN_MS = 10_000;
/** Partitions that can't be trimmed and are told of by name. */
const TOLD_FAILURES = 3;

interface Place {
  readonly topic: Topic;
  readonly partition: number;
  /** Every consumer has committed all below. */
  readonly least: number;
  readonly logIds: ReadonlySet<string | undefined>;
}

/**
 * Lets go of the log below what every replica of a partition has committed; never by time. A replica that can't be
 * asked, that does not know of a partition that it is to own, or that has read another log, holds all of that partition.
 */
export class ReplicaTrimmer {
  readonly #options: ReplicaTrimmerOptions;
  readonly #stop = new AbortController();
  readonly #trimmer: LogTrimmer;
  #problem: string | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ReplicaTrimmerOptions) {
    this.#options = options;
    this.#trimmer = new LogTrimmer(options.log);
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

  /** Trims once what can be; `start` does it again and again. One partition that can't be keeps no other from it. */
  async turn(): Promise<void> {
    const failures: string[] = [];
    for (const place of await this.#places()) {
      try {
        await this.#trim(place);
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        failures.push(`${place.topic}/${place.partition}: ${error.message}`);
      }
    }
    this.#tell(failures.length === 0 ? undefined : failures.slice(0, TOLD_FAILURES).join('; '));
  }

  async #trim({ topic, partition, least: offset, logIds }: Place): Promise<void> {
    const kept = await this.#trimmer.trim({ topic, partition, offset, logIds });
    if (kept === undefined) return;
    const isOther = kept.because === 'another log';
    const whose = isOther ? 'of another log, or of one that is not known yet' : `beyond its end, ${kept.next}`;
    throw new TidemarkError('failed_precondition', `the log is kept: a consumer has committed ${offset}, ${whose}`);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.turn();
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        this.#tell(error.message);
      }
      await sleep(clock, TURN_MS, this.#stop.signal);
    }
  }

  /** Of each partition, the least offset that all of its consumers have committed, and what they say which log it is. */
  async #places(): Promise<Place[]> {
    const places = new Map<string, Place>();
    await Promise.all(
      this.#options.consumers.map(async ({ topic, partitions, reader }) => {
        const positions = await reader.positions(this.#stop.signal).then(
          (reply) => new Map(reply.positions.map((position) => [position.partition, position])),
          (error: unknown) => {
            if (!isTidemarkError(error)) throw error;
            return new Map<number, ReplicaPosition>();
          },
        );
        for (const partition of partitions) {
          const { committedOffset = 0, logId, halted = '', haltedOffset = -1 } = positions.get(partition) ?? {};
          const key = `${topic}/${partition}`;
          const known = places.get(key) ?? { topic, partition, least: committedOffset, logIds: new Set() };
          // One whose log is lost may still have the id from before that.
          const isLost = halted !== '' && haltedOffset < 0;
          const logIds = new Set([...known.logIds, isLost ? undefined : logId]);
          places.set(key, { topic, partition, least: Math.min(known.least, committedOffset), logIds });
        }
      }),
    );
    return [...places.values()];
  }

  #tell(problem: string | undefined): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#options.events.info('the log can be trimmed again');
    else this.#options.events.error('the log can not be trimmed', { reason: problem });
  }
}
