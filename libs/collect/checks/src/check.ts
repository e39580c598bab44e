/** Where a check puts what it found. Tags are `key:value`; the host's own tags are added by the agent. */
export interface CheckSink {
  /** A reading. */
  gauge(metric: string, value: number, tags?: readonly string[]): void;
  /** A delta since the last run. */
  count(metric: string, value: number, tags?: readonly string[]): void;
  /** A cumulative total that only grows, but for restarts. */
  counter(metric: string, value: number, tags?: readonly string[]): void;
}

/** One thing that is looked at again and again. */
export interface Check {
  readonly name: string;
  /** Least time between two runs, ms; absent: at every flush. */
  readonly everyMs?: number;
  /**
   * Given by a check that asks other machines: it doesn't run at flushes but this long after each multiple of `everyMs`,
   * so that many checks spread, and keeps that pace when it fails: it says itself, as a metric, that it did.
   */
  readonly phaseMs?: number;
  /** Puts its readings into the sink. It may throw: what it put in before is kept. The signal says that nobody waits. */
  run(sink: CheckSink, signal: AbortSignal): Promise<void>;
  /** What its last run has to say beside its readings, for those who look at the status. */
  detail?(): Readonly<Record<string, string | number>>;
  /** Lets go of connections, at the end. */
  close?(): Promise<void>;
}
