import type { CheckSink } from '@tidemark/checks';
import type { KindName } from '@tidemark/model';
import type { AgentSeries } from './agent-client.ts';
import type { HandleCache } from './handle-cache.ts';

interface Reading {
  readonly handle: AgentSeries;
  readonly value: number;
  /** When it was read; undefined for what is read at the flush. */
  readonly readMs: number | undefined;
}

/**
 * Holds the readings of checks until the flush that stamps them. So a slow check's come with a later flush and its
 * time: nothing is ever sent that is older than what the agent has promised.
 */
export class CheckOutput implements CheckSink {
  readonly #handles: HandleCache;
  readonly #limit: number;
  readonly #intervalMs: number;
  #readings: Reading[] = [];
  #points = 0;
  #dropped = 0;
  #notFinite = 0;

  constructor(handles: HandleCache, limit: number, intervalMs: number) {
    this.#handles = handles;
    this.#limit = limit;
    this.#intervalMs = intervalMs;
  }

  get points(): number {
    return this.#points;
  }

  /** Readings over the limit, and those that weren't finite numbers. */
  drops(): Readonly<Record<string, number>> {
    return { readings_limit: this.#dropped, reading_not_finite: this.#notFinite };
  }

  gauge(metric: string, value: number, tags: readonly string[] = []): void {
    this.#add(metric, 'gauge', value, tags);
  }

  count(metric: string, value: number, tags: readonly string[] = []): void {
    this.#add(metric, 'count', value, tags);
  }

  counter(metric: string, value: number, tags: readonly string[] = []): void {
    this.#add(metric, 'counter', value, tags);
  }

  /** A sink for what is read at `readMs`, between two flushes. */
  at(readMs: number): CheckSink {
    return {
      gauge: (metric, value, tags = []) => this.#add(metric, 'gauge', value, tags, readMs),
      count: (metric, value, tags = []) => this.#add(metric, 'count', value, tags, readMs),
      counter: (metric, value, tags = []) => this.#add(metric, 'counter', value, tags, readMs),
    };
  }

  /** Gives the readings to the client, at `timestampMs` or when they were read, but never before the last flush. */
  flush(timestampMs: number): void {
    const readings = this.#readings;
    this.#readings = [];
    const oldestMs = timestampMs - this.#intervalMs;
    for (const { handle, value, readMs } of readings) {
      handle.record(value, readMs === undefined ? timestampMs : Math.max(readMs, oldestMs));
    }
    this.#points += readings.length;
  }

  #add(metric: string, kind: KindName, value: number, tags: readonly string[], readMs?: number): void {
    if (!Number.isFinite(value)) {
      this.#notFinite++;
      return;
    }
    if (this.#readings.length >= this.#limit) {
      this.#dropped++;
      return;
    }
    const handle = this.#handles.get(metric, kind, tags);
    if (handle !== undefined) this.#readings.push({ handle, value, readMs });
  }
}
