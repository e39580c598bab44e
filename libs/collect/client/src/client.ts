import { type KindName, maxFlushIntervalMs } from '@tidemark/model';
import type { TidemarkError } from '@tidemark/ports';
import type { BatchFate } from './batch-fate.ts';
import { argumentError, describe, refusalOfThrown } from './check-arguments.ts';
import { checkedOptions } from './check-options.ts';
import type { ClientPorts } from './client-ports.ts';
import { ClientSessions } from './client-sessions.ts';
import { ColumnPlans } from './column-plans.ts';
import { CLOSED_RESULT, type FlushOptions, type FlushResult, flushResult } from './flush-result.ts';
import { FlushSchedule } from './flush-schedule.ts';
import type { SeriesHandle } from './gathered-series.ts';
import { Gatherer } from './gatherer.ts';
import { type MetricDescription, MetricStatements } from './metric-statements.ts';
import type { ClientOptions } from './options.ts';
import { PendingBatches } from './pending-batches.ts';
import { ProcessHold } from './process-hold.ts';
import type { RawBatch } from './raw-batch.ts';
import { SeriesLookup } from './series-lookup.ts';
import { SeriesNumbers } from './series-numbers.ts';
import { Spool } from './spool.ts';
import { ClientCounters, type ClientStats } from './stats.ts';

/**
 * Sends points to the platform, each exactly once as long as its bounds hold. `connect` makes one. Recording never
 * waits: values are gathered and sent in batches, once a flush interval.
 */
export class Client {
  readonly #ports: ClientPorts;
  readonly #options: ClientOptions;
  readonly #counters: ClientCounters;
  readonly #spool: Spool | undefined;
  readonly #numbers: SeriesNumbers;
  readonly #statements = new MetricStatements();
  readonly #hold: ProcessHold;
  readonly #lookup: SeriesLookup;
  readonly #plans: ColumnPlans;
  readonly #gatherer: Gatherer;
  readonly #schedule: FlushSchedule;
  readonly #sessions: ClientSessions;
  readonly #pending = new PendingBatches();
  /** The batches of the flush that is being cut: one may be given up at once. */
  #flushed: BatchFate[] | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;

  private constructor(ports: ClientPorts, options: ClientOptions, counters: ClientCounters, spool: Spool | undefined) {
    this.#ports = ports;
    this.#hold = new ProcessHold(ports.hold);
    this.#options = options;
    this.#counters = counters;
    this.#spool = spool;
    this.#numbers = new SeriesNumbers(ports.clock, options.maxSeries, options.seriesExpiryMs);
    const gatherer = new Gatherer(ports.clock, options, counters, this.#numbers, (batch) => this.#send(batch));
    const schedule = new FlushSchedule(ports.clock, options, {
      flush: () => this.#cut(),
      onInterval: (intervalMs) => gatherer.useInterval(intervalMs),
      onTooLong: (intervalMs, latenessMs) => this.#warnOfLateness(intervalMs, latenessMs),
    });
    if (schedule.isDerived) gatherer.useInterval(schedule.intervalMs);
    this.#gatherer = gatherer;
    this.#schedule = schedule;
    this.#lookup = new SeriesLookup(gatherer, this.#numbers, options.maxSeries, (warning) =>
      counters.warnings.warn(warning),
    );
    this.#plans = new ColumnPlans(gatherer, this.#numbers, options.maxBatchBytes);
    const own = { series: () => this.#numbers.table, statements: this.#statements };
    this.#sessions = new ClientSessions({ ports, options, counters, ...own, gatherer, spool, schedule });
  }

  /**
   * Starts a client on `ports`, and restores the client sessions of earlier runs from its disk. No intake need be
   * reachable. Errors: `invalid_argument` (an option), `failed_precondition` (another process uses the spool, or its
   * format is newer), and the disk's.
   * @internal
   */
  static async open(ports: ClientPorts, options: Partial<ClientOptions> & { readonly name: string }): Promise<Client> {
    const all = checkedOptions(options, ports.addresses);
    const counters = new ClientCounters(all);
    const spool = ports.disk === undefined ? undefined : await Spool.open(ports.disk, all);
    try {
      const client = new Client(ports, all, counters, spool);
      await client.#sessions.recover();
      client.#sessions.start();
      client.#schedule.start();
      return client;
    } catch (error) {
      await spool?.release();
      throw error;
    }
  }

  /**
   * Returns the handle of one series, for hot paths: its `record` needs no lookup. `kind` is `gauge`, `count`, `counter`
   * or `distribution`; the order of the tags does not matter. `intervalMs` states how far apart its points are meant to
   * be, ms, from now on; without it, a count or distribution has the flush interval, and of others it is inferred. Errors:
   * `invalid_argument` (the metric, a tag or the interval breaks a limit), `resource_exhausted` (the client has
   * `maxSeries` series).
   */
  series(metric: string, kind: KindName, tags: readonly string[] = [], intervalMs?: number): SeriesHandle {
    try {
      return this.#lookup.handle(metric, kind, tags, intervalMs);
    } catch (error) {
      throw argumentError(error);
    }
  }

  /**
   * Records a reading: the last one of a flush interval becomes a point. With `timestampMs` (ms since 1970) each value is
   * a point of its own. `intervalMs` states how far apart the program records the gauge, ms, at most 31 days: a value
   * holds for 2.5 of it. It holds from this value on, also for calls without it. Never throws: `stats` counts what cannot
   * be accepted, and `onRejection` reports it.
   */
  gauge(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number, intervalMs?: number): void {
    this.#record('gauge', metric, value, tags, timestampMs, intervalMs);
  }

  /**
   * Adds `value` (default 1) to a count: the sum of a flush interval becomes a point. With `timestampMs` (ms since 1970)
   * each value is a point of its own; equal timestamps of one flush add up. Never throws.
   */
  count(metric: string, value = 1, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('count', metric, value, tags, timestampMs);
  }

  /**
   * Records the state of a counter that only grows: the last one of a flush interval becomes a point. With `timestampMs`
   * (ms since 1970) each value is a point of its own. `intervalMs` states how far apart the program records it, as of
   * `gauge`. Never throws.
   */
  counter(
    metric: string,
    value: number,
    tags: readonly string[] = [],
    timestampMs?: number,
    intervalMs?: number,
  ): void {
    this.#record('counter', metric, value, tags, timestampMs, intervalMs);
  }

  /**
   * Adds a value to a distribution: the DDSketch of a flush interval becomes a point. With `timestampMs` (ms since 1970)
   * values of equal timestamps share a sketch. Never throws.
   */
  distribution(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('distribution', metric, value, tags, timestampMs);
  }

  /**
   * Ends the series of a gauge or counter, because what it measures is gone: its last value no longer holds. It ends at
   * `timestampMs` (ms since 1970), or now; a later value begins it again. Counts and distributions have no end, which is
   * refused. Never throws.
   */
  endSeries(metric: string, kind: KindName, tags: readonly string[] = [], timestampMs?: number): void {
    this.#handle(kind, metric, tags)?.end(timestampMs);
  }

  /**
   * States what a metric is, for all of its history: kind, unit, description, the interval at which it is recorded. It is
   * sent with the next flush, and a user of the platform may correct it. A field that is left out stays as it was stated.
   * Never throws: what cannot be accepted is reported once per reason to `onWarning`, and changes nothing.
   */
  describe(metric: string, description: MetricDescription): void {
    try {
      this.#statements.describe(metric, description);
    } catch (error) {
      const { reason, field, limit, message } = refusalOfThrown(error);
      this.#counters.warnings.warn({ reason: `describe_${reason}`, field, limit, message: `describe: ${message}` });
    }
  }

  /**
   * Records one value of each series at one timestamp (ms since 1970): `values[i]` belongs to `handles[i]`. The values
   * are copied. The array of handles is checked once and remembered: pass the same one each time, and don't change it.
   * Errors: `invalid_argument` (unequal lengths, a distribution, another client's handle).
   */
  recordColumns(handles: readonly SeriesHandle[], timestampMs: number, values: Float64Array): void {
    try {
      let at = 0;
      for (const plan of this.#plans.of(handles, values)) {
        const end = at + plan.numbers.length;
        this.#gatherer.recordColumns(plan, timestampMs, values.subarray(at, end));
        at = end;
      }
    } catch (error) {
      throw argumentError(error);
    }
  }

  /**
   * Cuts the gathered values into batches now, begins to send them, and resolves when all that was recorded before the
   * call is durable: in the spool, or, without one, in the platform's log. The result says which, and what became of the
   * rest when `timeoutMs` passes or points are given up. Never rejects, so a program need not wait for it.
   */
  async flush(options?: FlushOptions): Promise<FlushResult> {
    if (this.#closed) return CLOSED_RESULT;
    const timeoutMs = this.#flushTimeoutMs(options);
    const fates = this.#pending.all;
    const outer = this.#flushed;
    this.#flushed = fates;
    this.#cut();
    this.#flushed = outer;
    if (fates.some((fate) => fate.isPending)) await this.#hold.during(() => this.#decided(timeoutMs));
    return flushResult(fates);
  }

  /** Resolves when unsettled batches use at most half of `memoryBytes`: for producers that can wait. Never rejects. */
  ready(): Promise<void> {
    return this.#until(() => this.#sessions.memoryBytes <= this.#options.memoryBytes / 2);
  }

  /**
   * Resolves when every batch is settled or given up, those of earlier runs included, or the client is closed. Values
   * that no flush has cut into a batch are not waited for. Never rejects.
   */
  settled(): Promise<void> {
    return this.#until(() => this.#sessions.isSettled);
  }

  /** Counts since the start of the client, with what is pending now. */
  stats(): ClientStats {
    const { pendingPoints, spooledPoints } = this.#sessions;
    const spoolBytes = this.#spool?.sizeBytes ?? 0;
    const { intervalMs: flushIntervalMs, latenessMs } = this.#schedule;
    const series = this.#numbers.table.distinct;
    const gatheredPoints = this.#gatherer.points;
    const points = { gatheredPoints, pendingPoints, spooledPoints };
    return this.#counters.snapshot({ series, ...points, spoolBytes, flushIntervalMs, latenessMs });
  }

  /** The last failure of a stream or of the spool, else of the library; the client has retried since, or will. */
  get lastError(): TidemarkError | undefined {
    return this.#sessions.lastError;
  }

  /**
   * Flushes, waits up to `closeTimeoutMs` for acknowledgements, and ends. Batches that are unsettled then stay in the
   * spool for the next run; without a spool they count as dropped or indeterminate. Idempotent. Errors: the disk's, when
   * the spool folder can't be released.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#hold.during(() => this.#close());
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#cut();
    // What is recorded from now on would be in no batch: it is counted as rejected.
    this.#gatherer.close();
    const timer = this.#ports.clock.setTimer(this.#options.closeTimeoutMs, () => this.#end());
    await this.settled();
    timer.cancel();
    this.#end();
    await this.#sessions.stop();
    await this.#spool?.release();
  }

  /** Holds the process: between two streams a client has nothing open, and an idle process would end. */
  async #until(isMet: () => boolean): Promise<void> {
    await this.#hold.during(async () => {
      while (!this.#closed && !isMet()) await this.#sessions.nextSettled();
    });
  }

  #end(): void {
    this.#closed = true;
    this.#gatherer.close();
    this.#schedule.stop();
    this.#sessions.end();
  }

  /** Resolves when no batch of now is pending, or after `timeoutMs`. */
  #decided(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#ports.clock.setTimer(timeoutMs, () => {
        stop();
        resolve();
      });
      const stop = this.#pending.whenDecided(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #flushTimeoutMs(options: FlushOptions | undefined): number {
    let timeoutMs: unknown;
    try {
      timeoutMs = options?.timeoutMs;
    } catch (error) {
      timeoutMs = error;
    }
    if (timeoutMs === undefined) return this.#options.closeTimeoutMs;
    if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs;
    const limit = 'a number of ms, at least 0';
    const message = `timeoutMs: ${describe(timeoutMs)} (limit: ${limit}); closeTimeoutMs is used instead`;
    this.#counters.warnings.warn({ reason: 'flush_timeout_invalid', field: 'timeoutMs', limit, message });
    return this.#options.closeTimeoutMs;
  }

  #send(cut: RawBatch): void {
    for (const batch of this.#sessions.divide(cut)) {
      this.#counters.points += batch.points;
      this.#pending.add(batch.fate);
      this.#flushed?.push(batch.fate);
      this.#sessions.enqueue(batch);
    }
  }

  /** Called by timers, too: an exception would end the program. */
  #cut(): void {
    if (this.#closed) return;
    try {
      this.#sessions.retrySpool();
      const wasSettled = this.#sessions.isLiveSettled;
      this.#gatherer.cut();
      this.#numbers.flushed();
      this.#forgetSeries(wasSettled);
      this.#sessions.report();
    } catch (error) {
      this.#counters.fail(error);
    }
  }

  /** Replaces the table of series once most of them have expired, when nothing but this flush is on its way. */
  #forgetSeries(wasSettled: boolean): void {
    const isFull = this.#numbers.table.length >= this.#options.maxSeries;
    if (!(wasSettled || isFull) || !this.#gatherer.isEmpty) return;
    if (!this.#numbers.isMostlyExpired(() => this.#lookup.all)) return;
    if (this.#sessions.renew(() => this.#numbers.replaceTable())) this.#lookup.forgetExpired();
  }

  #warnOfLateness(intervalMs: number, latenessMs: number): void {
    const limit = `${maxFlushIntervalMs(latenessMs)} ms`;
    const message =
      `flushIntervalMs: ${intervalMs} (limit: ${limit}, two thirds of the platform's lateness bound D, ${latenessMs} ms); ` +
      'points will be late: lower flushIntervalMs, or raise completeness.latenessMs of the platform';
    this.#counters.warnings.warn({ reason: 'flush_interval_too_long', field: 'flushIntervalMs', limit, message });
  }

  #record(
    kind: KindName,
    metric: string,
    value: number,
    tags: readonly string[],
    timestampMs?: number,
    intervalMs?: number,
  ): void {
    this.#handle(kind, metric, tags, intervalMs)?.record(value, timestampMs);
  }

  /** Returns undefined, and counts a sample as refused, when the series cannot be used. */
  #handle(kind: KindName, metric: string, tags: readonly string[], intervalMs?: number): SeriesHandle | undefined {
    try {
      return this.#lookup.handle(metric, kind, tags, intervalMs);
    } catch (error) {
      this.#counters.samples++;
      this.#counters.refuseSample(refusalOfThrown(error));
      return undefined;
    }
  }
}
