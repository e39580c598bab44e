import type { CheckSink } from '@tidemark/checks';
import { LocalRefusals } from '@tidemark/client';
import type { KindName } from '@tidemark/model';
import type { AgentSeries } from './agent-client.ts';
import type { HandleCache } from './handle-cache.ts';

/** When a reading is of, and when the next one is meant to be. */
interface Timing {
  /** Absent: the series' interval stays as it is. */
  readonly intervalMs?: number;
  /** When it was read; undefined for a reading that takes the flush's time. */
  readonly readMs: number | undefined;
  /** The time that its source states, which goes before both. */
  readonly statedMs?: number | undefined;
}

interface Reading extends Pick<Timing, 'readMs' | 'statedMs'> {
  readonly handle: AgentSeries;
  /** Undefined: the series ends. */
  readonly value: number | undefined;
}

/**
 * Holds the readings of checks until the flush that stamps them. A slow check's readings go with a later flush and get
 * its time, so no point is older than the frontier that the agent has promised.
 */
export class CheckOutput {
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

  /**
   * Returns a sink for readings that are `intervalMs` apart: of the time `readMs`, between two flushes, or of the next
   * flush. A reading whose source states its time comes when the source has one, so no interval is known of it.
   */
  sink(intervalMs: number, readMs?: number): CheckSink {
    const own = { intervalMs, readMs };
    return {
      describe: (metric, text) => this.#handles.describe(metric, text),
      gauge: (metric, value, tags = [], statedMs) => this.#add(metric, 'gauge', value, tags, timing(own, statedMs)),
      count: (metric, value, tags = []) => this.#add(metric, 'count', value, tags, own),
      counter: (metric, value, tags = [], statedMs) => this.#add(metric, 'counter', value, tags, timing(own, statedMs)),
      reading: (metric, value, tags = [], statedMs) => this.#add(metric, 'reading', value, tags, timing(own, statedMs)),
      end: (metric, kind, tags = []) => this.#push(metric, kind, undefined, tags, { readMs }),
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

  #add(metric: string, kind: KindName, value: number, tags: readonly string[], timing: Timing): void {
    const mayBeInfinite = kind === 'gauge' || kind === 'reading';
    if (Number.isNaN(value) || (!mayBeInfinite && !Number.isFinite(value))) {
      this.drops.add(Number.isNaN(value) ? 'value_nan' : 'value_infinite', 1, `${value} of ${metric}`);
      return;
    }
    this.#push(metric, kind, value, tags, timing);
  }

  #push(
    metric: string,
    kind: KindName,
    value: number | undefined,
    tags: readonly string[],
    { intervalMs, readMs, statedMs }: Timing,
  ): void {
    if (this.#readings.length >= this.#limit) {
      this.drops.add('readings_limit', 1, `${metric}, beyond ${this.#limit} readings`);
      return;
    }
    const handle = this.#handles.get(metric, kind, tags, intervalMs);
    if (handle !== undefined) this.#readings.push({ handle, value, readMs, statedMs });
  }
}

function timing(own: Timing, statedMs: number | undefined): Timing {
  return statedMs === undefined ? own : { readMs: own.readMs, statedMs };
}
