import type { Kind, KindName } from '@tidemark/model';
import { kindName } from '@tidemark/model';
import type { DDSketch } from '@tidemark/sketch';
import type { ColumnPlan } from './column-plan.ts';
import type { SeriesTable, TableSeries } from './series-table.ts';

/** One series of a client, looked up once: recording a value needs no hashing. `Client.series` returns it. */
export interface SeriesHandle {
  /** Name of the metric. */
  readonly metric: string;
  /** What the values mean: `gauge`, `count`, `counter` or `distribution`. */
  readonly kind: KindName;
  /** Tags, sorted bytewise and distinct. */
  readonly tags: readonly string[];
  /**
   * Records one value. Without a timestamp, gauges and counters keep the last value of a flush interval, at the time it
   * was recorded; counts add up, and distributions gather, over the interval, at its start. With a timestamp (ms since
   * 1970, rounded down) the value is a point of its own. Never throws for a bad value: `stats` counts it.
   */
  record(value: number, timestampMs?: number): void;
  /**
   * Ends the series of a gauge or counter, because what it measures is gone: its last value no longer holds from then on.
   * Without a timestamp it ends now, after the value that the flush interval has gathered; with one (ms since 1970, rounded
   * down) at that time. A later value begins it again. Counts and distributions have no end: their points do not hold
   * beyond their interval. Never throws: `stats` counts what cannot be accepted.
   */
  end(timestampMs?: number): void;
  /**
   * Merges a sketch into the distribution's, as `record` merges its values. The sketch is copied.
   * @internal
   */
  recordSketch(sketch: DDSketch, timestampMs?: number): void;
}

/** Records values of series: the gatherer of a client. */
export interface SeriesRecorder {
  record(series: GatheredSeries, value: number, timestampMs: number | undefined): void;
  end(series: GatheredSeries, timestampMs: number | undefined): void;
  recordSketch(series: GatheredSeries, sketch: DDSketch, timestampMs: number | undefined): void;
}

/** The values that a series has gathered in this flush interval. */
export class GatheredSeries implements SeriesHandle {
  /** Number in `table`, and the table; `SeriesNumbers` sets both. A change of the interval gives another number. */
  number = -1;
  table: SeriesTable | undefined;
  /** The series in that table and in older ones, which all state the same interval. */
  entry: TableSeries;
  /** How often the interval has changed. */
  changes = 0;
  /** When the series was last used by itself, monotonic ms, and the list in which it is used, too. */
  usedMs = 0;
  plan: ColumnPlan | undefined;
  readonly metric: string;
  readonly kindNumber: Kind;
  readonly tags: readonly string[];
  /** True while it is in the list of the next flush. */
  dirty = false;
  /** True while `value` waits for the next flush. */
  hasValue = false;
  /** Sum of a count, last value of a gauge or counter. */
  value = 0;
  /** When the last value was recorded, ms. */
  timeMs = 0;
  /** Sketches by timestamp. */
  sketches: Map<number, DDSketch> | undefined;
  readonly #recorder: SeriesRecorder;

  constructor(recorder: SeriesRecorder, entry: TableSeries) {
    this.#recorder = recorder;
    this.entry = entry;
    this.metric = entry.metric;
    this.kindNumber = entry.kind;
    this.tags = entry.tags;
  }

  /** Reporting interval that was stated last, ms; undefined where none was. */
  get intervalMs(): number | undefined {
    return this.entry.intervalMs;
  }

  get kind(): KindName {
    return kindName(this.kindNumber);
  }

  record(value: number, timestampMs?: number): void {
    this.#recorder.record(this, value, timestampMs);
  }

  end(timestampMs?: number): void {
    this.#recorder.end(this, timestampMs);
  }

  recordSketch(sketch: DDSketch, timestampMs?: number): void {
    this.#recorder.recordSketch(this, sketch, timestampMs);
  }

  isOf(recorder: SeriesRecorder): boolean {
    return this.#recorder === recorder;
  }
}
