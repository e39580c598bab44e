import type { Client } from '@tidemark/client';
import { below, type Random } from '@tidemark/ports';
import type { PlatformUnderTest } from './platform-under-test.ts';

const STEP_S = 1;

/**
 * Counts that were sent. Each value is a different power or sum, which other values cannot add up to by chance. Queries
 * must return the same sum for each series and second: a lost or duplicated point changes a sum.
 */
export class ExpectedCounts {
  readonly #metric: string;
  readonly #series: number;
  readonly #random: Random;
  readonly #sums = new Map<string, number>();
  readonly #startMs = Math.floor(Date.now() / 1000) * 1000;
  points = 0;

  constructor(metric: string, series: number, random: Random) {
    this.#metric = metric;
    this.#series = series;
    this.#random = random;
  }

  /** Records one value of each series now. */
  record(client: Client): void {
    const nowMs = Date.now();
    const second = Math.floor(nowMs / 1000) * 1000;
    for (let id = 0; id < this.#series; id++) {
      const value = 1 + below(this.#random, 1_000_000);
      // Metrics differ by partition, and tags by series.
      client.count(`${this.#metric}.${id % METRICS}`, value, [`id:${id}`], nowMs);
      const key = `${id}@${second}`;
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + value);
      this.points++;
    }
  }

  /** Returns the differences between the platform's complete answer and the sent counts. */
  async differences(platform: PlatformUnderTest): Promise<string[]> {
    const toMs = Date.now();
    const found = new Map<string, number>();
    for (let i = 0; i < METRICS; i++) {
      const query = `sum:${this.#metric}.${i}{*} by {id}.rollup(points, ${STEP_S})`;
      const { series, errors } = await platform.queryComplete(query, this.#startMs, toMs);
      if (errors.length > 0) return errors.map(({ part, message }) => `${part}: ${message}`);
      for (const { tagSet, timesMs, values } of series) {
        timesMs.forEach((timeMs, at) => {
          found.set(`${tagSet.join().slice('id:'.length)}@${timeMs}`, values[at]);
        });
      }
    }
    const keys = new Set([...this.#sums.keys(), ...found.keys()]);
    return [...keys]
      .filter((key) => this.#sums.get(key) !== found.get(key))
      .map((key) => `${key}: sent ${this.#sums.get(key)}, found ${found.get(key)}`);
  }
}

/** Number of metrics, enough for every partition of a small map. */
const METRICS = 4;
