import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import { type Clock, type Disk, isTidemarkError, type Random, type Topic } from '@tidemark/ports';
import type { NetworkEndpoint } from '@tidemark/simulation';
import type { LogCopy } from './log-copy.ts';
import { serveLog } from './remote-log.ts';
import { LOG_LIMITS, PARTITIONS } from './settings.ts';

export interface LogHostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: NetworkEndpoint;
  readonly copy: LogCopy;
  /** How many stores read it: it lets go of what all of them have committed. */
  readonly stores: number;
  /** Counts trims that had an effect. */
  readonly trims: { count: number };
  readonly isAlive: () => boolean;
  readonly failed: (error: unknown) => void;
}

interface Committed {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
}

/** The log's process. */
export class LogHost {
  readonly #options: LogHostOptions;
  readonly #committed = new Map<string, Map<string, number>>();

  constructor(options: LogHostOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { clock, random, disk, network, copy, isAlive, failed } = this.#options;
    const log = await openEmbeddedLog({
      disk,
      clock,
      random,
      partitions: { points: PARTITIONS, tags: PARTITIONS, control: 1 },
      limits: LOG_LIMITS,
    });
    await copy.follow(log, isAlive, failed);
    serveLog(network, log);
    network.handle('committed', async (body, from) => this.#trim(log, from, body as Committed[]));
  }

  async #trim(log: EmbeddedLog, store: string, places: readonly Committed[]): Promise<void> {
    const { stores, copy, trims } = this.#options;
    for (const { topic, partition, offset } of places) {
      const key = `${topic}/${partition}`;
      const byStore = this.#committed.get(key) ?? new Map<string, number>();
      byStore.set(store, offset);
      this.#committed.set(key, byStore);
      if (byStore.size < stores) continue;
      const before = Math.min(copy.of(topic, partition).length, ...byStore.values());
      try {
        const { first } = await log.bounds(topic, partition);
        await log.trim(topic, partition, before);
        if ((await log.bounds(topic, partition)).first > first) trims.count++;
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
      }
    }
  }
}
