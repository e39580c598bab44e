import type { KindName } from '@tidemark/model';

/**
 * Receives the readings of a check. Tags are `key:value`; the agent adds the host's own tags. `timestampMs` is the time
 * that the source states for a reading, ms since 1970; without it the agent stamps the reading.
 */
export interface CheckSink {
  /** Records a current value. */
  gauge(metric: string, value: number, tags?: readonly string[], timestampMs?: number): void;
  /** Records the growth since the last run. */
  count(metric: string, value: number, tags?: readonly string[]): void;
  /** Records a cumulative total, which only falls when the source restarts. */
  counter(metric: string, value: number, tags?: readonly string[], timestampMs?: number): void;
  /** States what a metric is, where its source says so. It is enough to say it once. */
  describe(metric: string, text: MetricText): void;
  /** Records a current value that may be of a gauge or of a counter: its source does not say. */
  reading(metric: string, value: number, tags?: readonly string[], timestampMs?: number): void;
  /** Ends the series of a gauge, counter or reading: its source no longer has it, so its last value no longer holds. */
  end(metric: string, kind: KindName, tags?: readonly string[]): void;
}

/** What the source of a metric says of it in so many words. */
export interface MetricText {
  /** Stronger than the calls `gauge` and `counter`, which only imply it. */
  readonly kind?: 'gauge' | 'counter';
  readonly unit?: string;
  readonly description?: string;
}

/** What a check left out of what it read, for one reason. */
export interface LeftOut {
  readonly reason: string;
  readonly count: number;
  readonly example: string;
}

/** A source of metrics that is polled. */
export interface Check {
  readonly name: string;
  /** Minimum time between two runs, ms; absent: a run at every flush. */
  readonly everyMs?: number;
  /**
   * Delay after each multiple of `everyMs` at which a check of other machines runs, ms; absent: it runs at flushes.
   * Phases spread many checks over the interval. Such a check keeps its interval while it fails, and reports failures
   * as a metric of its own.
   */
  readonly phaseMs?: number;
  /** Writes readings to the sink. When it throws, earlier readings are kept. The signal aborts at the runner's stop. */
  run(sink: CheckSink, signal: AbortSignal): Promise<void>;
  /** Returns details of the last run that the status shows in addition to the readings. */
  detail?(): Readonly<Record<string, string | number>>;
  /** Returns what it left out of all that it read since its start, by reason, with an example of each. */
  leftOut?(): readonly LeftOut[];
  /** Closes connections. The runner calls it when it stops. */
  close?(): Promise<void>;
}
