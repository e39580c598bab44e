import { KIND, type KindName, seriesName } from '@tidemark/model';
import { isTidemarkError, TidemarkError, type Timer } from '@tidemark/ports';
import { checkOptions } from './check-options.ts';
import type { ClientPorts } from './client-ports.ts';
import { ClientSessions } from './client-sessions.ts';
import { ColumnPlan } from './column-plan.ts';
import { GatheredSeries, type SeriesHandle } from './gathered-series.ts';
import { Gatherer, MAX_BATCH_POINTS } from './gatherer.ts';
import { type ClientOptions, DEFAULT_CLIENT_OPTIONS } from './options.ts';
import { POINT_BYTES } from './raw-batch.ts';
import { SeriesTable } from './series-table.ts';
import { Spool } from './spool.ts';
import { ClientCounters, type ClientStats } from './stats.ts';

/** The platform knows the tenant; names are checked as if it were short. */
const ANY_TENANT = 'x';

/**
 * Sends points to the platform, each exactly once as long as its bounds hold. `connect` makes one. Recording never
 * waits: values are gathered and sent in batches, once a flush interval.
 */
export class Client {
  readonly #ports: ClientPorts;
  readonly #options: ClientOptions;
  readonly #counters: ClientCounters;
  readonly #spool: Spool | undefined;
  readonly #series = new SeriesTable();
  /** Handles by the caller's own spelling, and by the canonical one. */
  readonly #handles = new Map<string, GatheredSeries>();
  readonly #plans = new WeakMap<readonly SeriesHandle[], readonly ColumnPlan[]>();
  readonly #gatherer: Gatherer;
  readonly #sessions: ClientSessions;
  #timer: Timer | undefined;
  #closed = false;

  private constructor(ports: ClientPorts, options: ClientOptions, counters: ClientCounters, spool: Spool | undefined) {
    this.#ports = ports;
    this.#options = options;
    this.#counters = counters;
    this.#spool = spool;
    const gatherer = new Gatherer(ports.clock, options, counters, (batch) => {
      counters.points += batch.points;
      this.#sessions.enqueue(batch);
    });
    this.#gatherer = gatherer;
    this.#sessions = new ClientSessions({ ports, options, counters, series: this.#series, gatherer, spool });
  }

  /**
   * Starts a client on `ports`, and restores the client sessions of earlier runs from its disk. No intake need be
   * reachable. Errors: `invalid_argument` (an option), `failed_precondition` (another process uses the spool, or its
   * format is newer), and the disk's.
   * @internal
   */
  static async open(ports: ClientPorts, options: Partial<ClientOptions> & { readonly name: string }): Promise<Client> {
    const all = { ...DEFAULT_CLIENT_OPTIONS, ...options };
    checkOptions(all, ports.addresses);
    const counters = new ClientCounters(all.onRejection);
    const spool = ports.disk === undefined ? undefined : await Spool.open(ports.disk, all);
    try {
      const client = new Client(ports, all, counters, spool);
      await client.#sessions.recover();
      client.#sessions.start();
      client.#schedule();
      return client;
    } catch (error) {
      await spool?.release();
      throw error;
    }
  }

  /**
   * Returns the handle of one series, for hot paths: its `record` needs no lookup. `kind` is `gauge`, `count`, `counter`
   * or `distribution`; the order of the tags does not matter. Errors: `invalid_argument` (the metric or a tag breaks a
   * limit), `resource_exhausted` (the client has `maxSeries` series).
   */
  series(metric: string, kind: KindName, tags: readonly string[] = []): SeriesHandle {
    return this.#handle(metric, kind, tags);
  }

  /**
   * Records a reading: the last one of a flush interval becomes a point. With `timestampMs` (ms since 1970) each value is
   * a point of its own. Never throws for a bad name or value: `stats` counts it and `onRejection` reports it.
   */
  gauge(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('gauge', metric, value, tags, timestampMs);
  }

  /**
   * Adds `value` (default 1) to a count: the sum of a flush interval becomes a point. With `timestampMs` (ms since 1970)
   * each value is a point of its own; equal timestamps of one flush add up. Never throws for a bad name or value.
   */
  count(metric: string, value = 1, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('count', metric, value, tags, timestampMs);
  }

  /**
   * Records the state of a counter that only grows: the last one of a flush interval becomes a point. With `timestampMs`
   * (ms since 1970) each value is a point of its own. Never throws for a bad name or value.
   */
  counter(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('counter', metric, value, tags, timestampMs);
  }

  /**
   * Adds a value to a distribution: the DDSketch of a flush interval becomes a point. With `timestampMs` (ms since 1970)
   * values of equal timestamps share a sketch. Never throws for a bad name or value.
   */
  distribution(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('distribution', metric, value, tags, timestampMs);
  }

  /**
   * Records one value of each series at one timestamp (ms since 1970): `values[i]` belongs to `handles[i]`. The values
   * are copied. The array of handles is checked once and remembered: pass the same one each time, and don't change it.
   * Errors: `invalid_argument` (unequal lengths, a distribution, another client's handle).
   */
  recordColumns(handles: readonly SeriesHandle[], timestampMs: number, values: Float64Array): void {
    if (handles.length !== values.length) {
      throw new TidemarkError('invalid_argument', `${values.length} values for ${handles.length} series`, {
        field: 'values',
        limit: `${handles.length} values`,
      });
    }
    let at = 0;
    for (const plan of this.#plansOf(handles)) {
      const end = at + plan.numbers.length;
      this.#gatherer.recordColumns(plan, timestampMs, values.subarray(at, end));
      at = end;
    }
  }

  /** Cuts the gathered values into batches now and begins to send them. Does nothing on a closed client. */
  flush(): void {
    if (this.#closed) return;
    this.#sessions.retrySpool();
    this.#gatherer.cut();
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
    const { pendingPoints } = this.#sessions;
    const spoolBytes = this.#spool?.sizeBytes ?? 0;
    return this.#counters.snapshot({ series: this.#series.length, pendingPoints, spoolBytes });
  }

  /** The last failure of a stream or of the spool; the client has retried since, or will. */
  get lastError(): TidemarkError | undefined {
    return this.#sessions.lastError;
  }

  /**
   * Flushes, waits up to `closeTimeoutMs` for acknowledgements, and ends. Batches that are unsettled then stay in the
   * spool for the next run; without a spool they count as dropped or indeterminate. Idempotent. Errors: the disk's, when
   * the spool folder can't be released.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    const release = this.#ports.hold?.();
    try {
      await this.#close();
    } finally {
      release?.();
    }
  }

  async #close(): Promise<void> {
    this.flush();
    const timer = this.#ports.clock.setTimer(this.#options.closeTimeoutMs, () => this.#end());
    await this.settled();
    timer.cancel();
    this.#end();
    await this.#sessions.stop();
    await this.#spool?.release();
  }

  /** Holds the process: between two streams a client has nothing open, and an idle process would end. */
  async #until(isMet: () => boolean): Promise<void> {
    const release = this.#ports.hold?.();
    try {
      while (!this.#closed && !isMet()) await this.#sessions.nextSettled();
    } finally {
      release?.();
    }
  }

  #end(): void {
    this.#closed = true;
    this.#gatherer.close();
    this.#timer?.cancel();
    this.#sessions.end();
  }

  // Series

  #record(kind: KindName, metric: string, value: number, tags: readonly string[], timestampMs?: number): void {
    let handle: GatheredSeries;
    try {
      handle = this.#handle(metric, kind, tags);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      const { reason = error.code, field = '', limit = '' } = error.detail;
      this.#counters.samples++;
      this.#counters.rejectedSamples++;
      const why = { reason: String(reason), field: String(field), limit: String(limit) };
      this.#counters.reject({ ...why, points: 1, message: error.message });
      return;
    }
    handle.record(value, timestampMs);
  }

  #handle(metric: string, kind: KindName, tags: readonly string[]): GatheredSeries {
    const spelling = keyOf(kind, metric, tags);
    const known = this.#handles.get(spelling);
    if (known !== undefined) return known;
    const name = seriesName(ANY_TENANT, metric, KIND[kind], tags);
    const canonical = keyOf(kind, metric, name.tags);
    let handle = this.#handles.get(canonical);
    if (handle === undefined) {
      const { maxSeries } = this.#options;
      if (this.#series.length >= maxSeries) {
        const detail = { reason: 'too_many_series', field: 'maxSeries', limit: maxSeries };
        throw new TidemarkError('resource_exhausted', `more than ${maxSeries} series (limit: maxSeries)`, detail);
      }
      const number = this.#series.add({ metric, kind: name.kind, tags: name.tags });
      handle = new GatheredSeries(this.#gatherer, number, metric, name.kind, name.tags);
      this.#handles.set(canonical, handle);
    }
    // Other spellings are a cache of `maxSeries` entries: beyond, a spelling is canonicalized each time.
    if (this.#handles.size < this.#options.maxSeries * 2) this.#handles.set(spelling, handle);
    return handle;
  }

  #plansOf(handles: readonly SeriesHandle[]): readonly ColumnPlan[] {
    const known = this.#plans.get(handles);
    if (known !== undefined) return known;
    const numbers = Uint32Array.from(handles, (handle) => {
      const isOwn = handle instanceof GatheredSeries && handle.isOf(this.#gatherer);
      if (isOwn && handle.kindNumber !== KIND.distribution) return handle.number;
      throw new TidemarkError(
        'invalid_argument',
        `${handle.metric}: columns take this client's gauges, counts and counters`,
        {
          field: 'handles',
        },
      );
    });
    const size = Math.max(1, Math.min(MAX_BATCH_POINTS, Math.floor(this.#options.maxBatchBytes / POINT_BYTES)));
    const plans: ColumnPlan[] = [];
    for (let at = 0; at < numbers.length; at += size) plans.push(new ColumnPlan(numbers.slice(at, at + size)));
    this.#plans.set(handles, plans);
    return plans;
  }

  #schedule(): void {
    const { flushIntervalMs } = this.#options;
    if (flushIntervalMs === 0 || this.#closed) return;
    const delayMs = flushIntervalMs - (this.#ports.clock.wallMs() % flushIntervalMs);
    this.#timer = this.#ports.clock.setTimer(delayMs, () => {
      this.flush();
      this.#schedule();
    });
  }
}

function keyOf(kind: KindName, metric: string, tags: readonly string[]): string {
  return tags.length === 0 ? `${kind}\0${metric}` : `${kind}\0${metric}\0${tags.join('\0')}`;
}
