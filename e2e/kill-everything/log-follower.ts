import { type KafkaLog, openKafkaLog } from '@tidemark/kafka-log';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';
import { eventually } from '../process/eventually.ts';
import { PARTITIONS, TOPIC_PREFIX } from './settings.ts';

const READ = { maxBytes: 1 << 20, waitMs: 500 };
const RETRY_MS = 100;
const WHOLE_MS = 240_000;
const PASSING = ['unavailable', 'deadline_exceeded', 'cancelled'] as const;
const CLIENT_ID = 'kill-everything';

/**
 * Copies every record of `points` from the first, before it is trimmed. The copy is compared with the log at the end.
 * It starts before the topic exists.
 */
export class LogFollower {
  readonly #log: KafkaLog;
  readonly #records: Uint8Array[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #running: Promise<void>[];
  readonly #stop = new AbortController();
  /** Why the copy is incomplete. */
  readonly problems: string[] = [];

  private constructor(log: KafkaLog) {
    this.#log = log;
    this.#running = this.#records.map((_, partition) => this.#follow(partition));
  }

  static async start(brokers: readonly string[]): Promise<LogFollower> {
    const options = { brokers, clientId: CLIENT_ID, topicPrefix: TOPIC_PREFIX };
    return new LogFollower(await openKafkaLog(options, { clock: new SystemClock(), random: new SystemRandom() }));
  }

  /** By partition. */
  get records(): readonly (readonly Uint8Array[])[] {
    return this.#records;
  }

  /** Offsets behind the last records, by partition. */
  ends(topic: 'points' | 'tags'): Promise<number[]> {
    return Promise.all(this.#records.map(async (_, partition) => (await this.#log.bounds(topic, partition)).next));
  }

  /** Resolves when the copy has all of `points` up to these ends, or is lost. */
  async reached(ends: readonly number[]): Promise<void> {
    const isWhole = () => this.#records.every(({ length }, partition) => length >= ends[partition]);
    await eventually('the copy of the log to be whole', () => this.problems.length > 0 || isWhole(), WHOLE_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    await this.#log.close();
  }

  async #follow(partition: number): Promise<void> {
    const records = this.#records[partition];
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for (const { offset, value } of await this.#log.read('points', partition, records.length, {
          ...READ,
          signal,
        })) {
          if (offset !== records.length) throw new Error(`offset ${offset} follows ${records.length - 1}`);
          records.push(Uint8Array.from(value));
        }
      } catch (error) {
        const isPassing = PASSING.some((code) => isTidemarkError(error, code));
        const hasBegun = records.length > 0 || isTidemarkError(error, 'out_of_range');
        if (!isPassing && hasBegun) {
          this.problems.push(`points/${partition} cannot be followed at ${records.length}: ${String(error)}`);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
