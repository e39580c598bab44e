import type { CheckSink } from '@tidemark/checks';
import { LocalRefusals, type MetricDescription } from '@tidemark/client';
import type { KindName } from '@tidemark/model';
import type { AgentSeries } from './agent-client.ts';
import type { HandleCache } from './handle-cache.ts';

interface Reading {
  readonly handle: AgentSeries;
  /** Undefined: the series ends. */
  readonly value: number | undefined;
  /** When it was read; undefined for a reading that takes the flush's time. */
  readonly readMs: number | undefined;
  /** The time that its source states, which goes before both. */
  readonly statedMs: number | undefined;
}

/**
 * Holds the readings of checks until the flush that stamps them. A slow check's readings go with a later flush and get
 * its time, so no point is older than the frontier that the agent has promised.
 */
export class CheckOutput implements CheckSink {
  readonly #handles: HandleCache;
  readonly #limit: number;
  readonly #intervalMs: number;
  #readings: Reading[] = [];
  #points = 0;
  /** Dropped readings: over the limit, or not a finite number. */
  readonly drops = new LocalRefusals();

  constructor(handles: HandleCache, limit: number, intervalMs: number) {
    this.#handles = handles;
    this.#limit = limit;
    this.#intervalMs = intervalMs;
  }

  get points(): number {
    return this.#points;
  }

  gauge(metric: string, value: number, tags: readonly string[] = [], statedMs?: number): void {
    this.#add(metric, 'gauge', value, tags, undefined, statedMs);
  }

  count(metric: string, value: number, tags: readonly string[] = []): void {
    this.#add(metric, 'count', value, tags);
  }

  counter(metric: string, value: number, tags: readonly string[] = [], statedMs?: number): void {
    this.#add(metric, 'counter', value, tags, undefined, statedMs);
  }

  reading(metric: string, value: number, tags: readonly string[] = [], statedMs?: number): void {
    this.#add(metric, 'reading', value, tags, undefined, statedMs);
  }

  end(metric: string, kind: KindName, tags: readonly string[] = []): void {
    this.#push(metric, kind, undefined, tags);
  }

  describe(metric: string, text: MetricDescription): void {
    this.#handles.describe(metric, text);
  }

  /** Returns a sink for readings of the time `readMs`, between two flushes. */
  at(readMs: number): CheckSink {
    return {
      describe: (metric, text) => this.describe(metric, text),
      gauge: (metric, value, tags = [], statedMs) => this.#add(metric, 'gauge', value, tags, readMs, statedMs),
      count: (metric, value, tags = []) => this.#add(metric, 'count', value, tags, readMs),
      counter: (metric, value, tags = [], statedMs) => this.#add(metric, 'counter', value, tags, readMs, statedMs),
      reading: (metric, value, tags = [], statedMs) => this.#add(metric, 'reading', value, tags, readMs, statedMs),
      end: (metric, kind, tags = []) => this.#push(metric, kind, undefined, tags, readMs),
    };
  }

  /**
   * Passes the readings to the client: with the time that their source states, else stamped `timestampMs` or the time
   * they were read, but not before the last flush.
   */
  flush(timestampMs: number): void {
    const readings = this.#readings;
    this.#readings = [];
    const oldestMs = timestampMs - this.#intervalMs;
    for (const { handle, value, readMs, statedMs } of readings) {
      const timeMs = statedMs ?? (readMs === undefined ? timestampMs : Math.max(readMs, oldestMs));
      if (value === undefined) handle.end(timeMs);
      else handle.record(value, timeMs);
    }
    this.#points += readings.length;
  }

  #add(
    metric: string,
    kind: KindName,
    value: number,
    tags: readonly string[],
    readMs?: number,
    statedMs?: number,
  ): void {
    const mayBeInfinite = kind === 'gauge' || kind === 'reading';
    if (Number.isNaN(value) || (!mayBeInfinite && !Number.isFinite(value))) {
      this.drops.add(Number.isNaN(value) ? 'value_nan' : 'value_infinite', 1, `${value} of ${metric}`);
      return;
    }
    this.#push(metric, kind, value, tags, readMs, statedMs);
  }

  #push(
    metric: string,
    kind: KindName,
    value: number | undefined,
    tags: readonly string[],
    readMs?: number,
    statedMs?: number,
  ): void {
    if (this.#readings.length >= this.#limit) {
      this.drops.add('readings_limit', 1, `${metric}, beyond ${this.#limit} readings`);
      return;
    }
    const handle = this.#handles.get(metric, kind, tags);
    if (handle !== undefined) this.#readings.push({ handle, value, readMs, statedMs });
  }
}
