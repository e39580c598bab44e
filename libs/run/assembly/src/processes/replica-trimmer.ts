import { type Clock, type Events, isTidemarkError, type Log, sleep, TidemarkError, type Topic } from '@tidemark/ports';
import { LogTrimmer } from '../parts/log-trimmer.ts';
import { askConsumers, type Consumer } from './consumer.ts';

export interface ReplicaTrimmerOptions {
  readonly log: Pick<Log, 'bounds' | 'trim'>;
  readonly clock: Clock;
  readonly events: Pick<Events, 'error' | 'info'>;
  /** Every consumer of the log: no record is deleted that one of them may still need. */
  readonly consumers: readonly Consumer[];
}

const TURN_MS = 10_000;
/** Partitions that can't be trimmed and are reported by name. */
const REPORTED_FAILURES = 3;

interface Place {
  readonly topic: Topic;
  readonly partition: number;
  /** No consumer needs the log for a record below this offset, even if its write-ahead log is damaged. */
  readonly minOffset: number;
  readonly logIds: ReadonlySet<string | undefined>;
}

/**
 * Trims the log below the offset that every replica of a partition has in its tables; never by time. A partition is not
 * trimmed while one of its replicas does not answer, has not opened it yet, or has read another log.
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

  /** Why the log can't be trimmed now; undefined when it can. */
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

  /** Trims every partition once, even if another one can't be trimmed; `start` repeats that. */
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
    this.#report(failures.length === 0 ? undefined : failures.slice(0, REPORTED_FAILURES).join('; '));
  }

  async #trim({ topic, partition, minOffset: offset, logIds }: Place): Promise<void> {
    const kept = await this.#trimmer.trim({ topic, partition, offset, logIds });
    if (kept === undefined) return;
    const isOther = kept.because === 'another log';
    const whose = isOther
      ? 'of another log, or of one that is not known yet'
      : `beyond the end of the log, ${kept.next}`;
    throw new TidemarkError(
      'failed_precondition',
      `the log is not trimmed: a consumer has committed ${offset}, ${whose}`,
    );
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.turn();
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        this.#report(error.message);
      }
      await sleep(clock, TURN_MS, this.#stop.signal);
    }
  }

  /**
   * Returns for each partition the lowest offset that all consumers have in tables, and the ids of the logs they read.
   */
  async #places(): Promise<Place[]> {
    const places = new Map<string, Place>();
    const asked = await askConsumers(this.#options.consumers, this.#stop.signal);
    for (const [{ topic, partitions }, positions] of asked) {
      for (const partition of partitions) {
        const { trimOffset = 0, logId, halted = '', haltedOffset = -1 } = positions.get(partition) ?? {};
        const key = `${topic}/${partition}`;
        const known = places.get(key) ?? { topic, partition, minOffset: trimOffset, logIds: new Set() };
        // A consumer whose log is lost may still have the id of the lost log.
        const isLost = halted !== '' && haltedOffset < 0;
        const logIds = new Set([...known.logIds, isLost ? undefined : logId]);
        places.set(key, { topic, partition, minOffset: Math.min(known.minOffset, trimOffset), logIds });
      }
    }
    return [...places.values()];
  }

  #report(problem: string | undefined): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#options.events.info('the log can be trimmed again');
    else this.#options.events.error('the log cannot be trimmed', { reason: problem });
  }
}
