import type { Histogram } from './histogram.ts';

/** The metric types of the protocol; `ms` is `h` under another name, as in Datadog's agent. */
export const STATSD_TYPE = { count: 1, gauge: 2, histogram: 3, distribution: 4, set: 5 } as const;
export type StatsdType = (typeof STATSD_TYPE)[keyof typeof STATSD_TYPE];

/**
 * One series as DogStatsD clients name it. All orders of its tags share one object, so the aggregator keeps the
 * interval's state on it and needs no lookup of its own.
 */
export class StatsdSeries {
  readonly metric: string;
  readonly type: StatsdType;
  /** Sorted, distinct. */
  readonly tags: readonly string[];
  /** The interval in which it was last seen. */
  lastInterval: number;
  /** False after the table removed it; a cached spelling with this series must find it again. */
  known = true;
  /** True when it has a value in this interval. */
  active = false;
  /** Sum of a count, or last value of a gauge. */
  value = 0;
  /** Last value of a gauge, also of earlier intervals: a value with a sign may change it. */
  level = 0;
  /** State of a histogram, and of a distribution (whose values go to its sketch at once). */
  histogram: Histogram | undefined = undefined;
  members: Set<string> | undefined = undefined;

  constructor(metric: string, type: StatsdType, tags: readonly string[], interval: number) {
    this.metric = metric;
    this.type = type;
    this.tags = tags;
    this.lastInterval = interval;
  }
}
