import { KIND, type KindName, seriesName } from '@tidemark/model';
import {
  assert,
  type Clock,
  type Disk,
  isTidemarkError,
  type Random,
  TidemarkError,
  type Timer,
} from '@tidemark/ports';
import { ClientSession } from './client-session.ts';
import { ColumnPlan } from './column-plan.ts';
import { GatheredSeries, type SeriesHandle } from './gathered-series.ts';
import { Gatherer, MAX_BATCH_POINTS } from './gatherer.ts';
import type { IntakeConnector } from './intake-connector.ts';
import { type ClientOptions, DEFAULT_CLIENT_OPTIONS } from './options.ts';
import { POINT_BYTES, type RawBatch } from './raw-batch.ts';
import { SeriesTable } from './series-table.ts';
import type { SessionOwner } from './session-owner.ts';
import { Spool } from './spool.ts';
import { ClientCounters, type ClientStats } from './stats.ts';

/** After a failure of its disk, a client goes on in memory and tries a new spool this much later. */
const SPOOL_RETRY_MS = 60_000;
const SESSION_BYTES = 16;
const MAX_NAME_BYTES = 200;
/** The tenant is the platform's to know; names are checked as if it were short. */
const ANY_TENANT = 'x';

/** What a client stands on. */
export interface ClientPorts {
  readonly connector: IntakeConnector;
  /** Intakes to send to, tried in turn from a random one on. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** Where unsettled batches survive a restart; without it they are kept in memory alone. */
  readonly disk?: Disk;
  /** Keeps the process alive while somebody waits for the client, until the answer is called; timers don't. */
  readonly hold?: () => () => void;
}

/** Sends points to the platform, each exactly once as long as its bounds hold (README.md beside). */
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
  readonly #owner: SessionOwner;
  #live: ClientSession;
  /** Earlier client sessions, of this run or of others, that are being drained. */
  readonly #draining = new Set<ClientSession>();
  /** Client sessions of earlier runs whose turn has not come. */
  readonly #resting: ClientSession[] = [];
  readonly #waiters = new Set<() => void>();
  #timer: Timer | undefined;
  #spoolRetryMs = Number.POSITIVE_INFINITY;
  #lastError: TidemarkError | undefined;
  /** False while an earlier spool can't be read: nobody knows how old what is in it may be. */
  #leastTimeKnown = true;
  #closed = false;
  /** Client sessions that have nothing left and are deleting their spools. */
  readonly #ending = new Set<Promise<void>>();

  private constructor(ports: ClientPorts, options: ClientOptions, counters: ClientCounters, spool: Spool | undefined) {
    this.#ports = ports;
    this.#options = options;
    this.#counters = counters;
    this.#spool = spool;
    this.#gatherer = new Gatherer(ports.clock, options, counters, (batch) => this.#onBatch(batch));
    this.#owner = {
      connector: ports.connector,
      clock: ports.clock,
      random: ports.random,
      addresses: ports.addresses,
      options,
      counters,
      leastTimeBeside: (session) => this.#leastTimeBeside(session),
      onPromise: (frontierMs) => this.#gatherer.promise(frontierMs),
      onSpoolFailure: (session, error) => this.#onSpoolFailure(session, error),
      onSpoolGrowth: (added) => spool?.keepBound(added),
      onSettled: (session) => this.#onSettled(session),
      onError: (error) => {
        this.#lastError = error;
      },
    };
    this.#live = this.#newSession(spool !== undefined);
  }

  /**
   * Starts a client; it need not find an intake. With a disk, client sessions of earlier runs are taken up. Errors:
   * `invalid_argument` (an option), `failed_precondition` (another process has the spool, or it is of a newer format),
   * and the disk's.
   */
  static async open(ports: ClientPorts, options: Partial<ClientOptions> & { readonly name: string }): Promise<Client> {
    const all = { ...DEFAULT_CLIENT_OPTIONS, ...options };
    checkOptions(all, ports.addresses);
    const counters = new ClientCounters(all.onRejection);
    const spool = ports.disk === undefined ? undefined : await Spool.open(ports.disk, all);
    try {
      const client = new Client(ports, all, counters, spool);
      if (spool !== undefined) await client.#recover(spool);
      client.#live.start();
      client.#startResting();
      client.#schedule();
      return client;
    } catch (error) {
      await spool?.release();
      throw error;
    }
  }

  /** A handle to record values of one series. Errors: `invalid_argument` (a name), `resource_exhausted` (`maxSeries`). */
  series(metric: string, kind: KindName, tags: readonly string[] = []): SeriesHandle {
    return this.#handle(metric, kind, tags);
  }

  /** Records a reading; see `SeriesHandle.record`. A bad name is counted, never thrown, here and below. */
  gauge(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('gauge', metric, value, tags, timestampMs);
  }

  /** Adds to a count: a delta. */
  count(metric: string, value = 1, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('count', metric, value, tags, timestampMs);
  }

  /** Records the state of a monotonic counter. */
  counter(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('counter', metric, value, tags, timestampMs);
  }

  /** Adds a value to a distribution. */
  distribution(metric: string, value: number, tags: readonly string[] = [], timestampMs?: number): void {
    this.#record('distribution', metric, value, tags, timestampMs);
  }

  /**
   * Records one value of each series at one timestamp (ms since 1970): `values[i]` belongs to `handles[i]`. The values
   * are copied. The list is looked at once and remembered: pass the same array each time, and don't change it. Errors:
   * `invalid_argument` (unequal lengths, a distribution, another client's handle).
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

  /** Cuts what was gathered into batches now and begins to send them. */
  flush(): void {
    if (this.#closed) return;
    if (this.#ports.clock.monotonicMs() >= this.#spoolRetryMs) {
      this.#spoolRetryMs = Number.POSITIVE_INFINITY;
      this.#startAnew(true);
    }
    this.#gatherer.cut();
  }

  /** Resolves when less than half of `memoryBytes` is used by unsettled batches: for producers that can wait. */
  ready(): Promise<void> {
    return this.#until(() => this.#live.memoryBytes <= this.#options.memoryBytes / 2);
  }

  /** Resolves when every batch cut so far, and left by earlier runs, is settled or given up, or the client is closed. */
  settled(): Promise<void> {
    return this.#until(() => this.#sessions().every((session) => session.isSettled));
  }

  stats(): ClientStats {
    let pendingPoints = 0;
    for (const session of this.#sessions()) pendingPoints += session.pendingPoints;
    const spoolBytes = this.#spool?.sizeBytes ?? 0;
    return this.#counters.snapshot({ series: this.#series.length, pendingPoints, spoolBytes });
  }

  /** The last failure of a stream or of the spool. */
  get lastError(): TidemarkError | undefined {
    return this.#lastError;
  }

  /**
   * Flushes, waits up to `closeTimeoutMs` for acknowledgements, and ends. What is unsettled then stays in the spool for
   * the next run, or is counted as dropped or indeterminate. Idempotent.
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
    const sessions = this.#sessions();
    await Promise.all([...this.#ending, ...sessions.map((session) => session.stop())]);
    for (const session of sessions) session.dropUnspooled('closed');
    await this.#spool?.release();
  }

  /** Between two streams a client has nothing open, and a process with nothing else to do would end. */
  async #until(isSo: () => boolean): Promise<void> {
    const release = this.#ports.hold?.();
    try {
      while (!this.#closed && !isSo()) await this.#nextSettled();
    } finally {
      release?.();
    }
  }

  #end(): void {
    this.#closed = true;
    this.#gatherer.close();
    this.#timer?.cancel();
    this.#wakeWaiters();
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
      const said = { reason: String(reason), field: String(field), limit: String(limit) };
      this.#counters.reject({ ...said, points: 1, message: error.message });
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
    // Other spellings are a cache: beyond as many again as there may be series, they are canonicalized each time.
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

  // Batches and client sessions

  #onBatch(batch: RawBatch): void {
    this.#counters.points += batch.points;
    this.#live.enqueue(batch);
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

  #newSession(spooled: boolean): ClientSession {
    const id = this.#ports.random.bytes(SESSION_BYTES);
    assert(id.length === SESSION_BYTES, 'a client session is 16 bytes');
    const spool = spooled ? this.#spool?.create(id, this.#ports.clock.wallMs()) : undefined;
    const session = new ClientSession(this.#owner, id, this.#series, spool);
    if (spool !== undefined) this.#spool?.add(session);
    return session;
  }

  async #recover(spool: Spool): Promise<void> {
    const { found, complete } = await spool.recover(this.#counters);
    this.#leastTimeKnown = complete;
    for (const recovered of found) {
      const session = ClientSession.recover(this.#owner, recovered.session, recovered.spool);
      this.#counters.recoveredPoints += session.pendingPoints;
      spool.add(session);
      this.#resting.push(session);
    }
    spool.keepBound('stamped');
  }

  #startResting(): void {
    while (!this.#closed && this.#draining.size < this.#options.replayStreams) {
      const session = this.#resting.shift();
      if (session === undefined) return;
      this.#draining.add(session);
      session.start();
    }
  }

  /** Goes on with a new client session; the old one drains. */
  #startAnew(spooled: boolean): void {
    const old = this.#live;
    this.#live = this.#newSession(spooled);
    this.#live.start();
    this.#draining.add(old);
    for (const batch of old.takeUnspooled()) this.#live.enqueue(batch);
    if (old.isSettled) this.#onSettled(old);
  }

  /** A spool that can't be written must not stop what comes: that goes from memory, under a client session of its own. */
  #onSpoolFailure(session: ClientSession, error: TidemarkError): void {
    this.#lastError = error;
    if (session !== this.#live || this.#closed) return;
    this.#spoolRetryMs = this.#ports.clock.monotonicMs() + SPOOL_RETRY_MS;
    this.#startAnew(false);
  }

  #onSettled(session: ClientSession): void {
    if (!this.#closed && session !== this.#live && session.isSettled && this.#draining.delete(session)) {
      // Its own loop may be the caller: it ends once this turn is over.
      const ending = session.stop().then(() => {
        this.#spool?.delete(session);
        this.#ending.delete(ending);
      });
      this.#ending.add(ending);
      this.#startResting();
    }
    this.#wakeWaiters();
  }

  #leastTimeBeside(session: ClientSession): number {
    if (!this.#leastTimeKnown) return Number.NaN;
    let least = this.#gatherer.leastTimeMs;
    for (const other of this.#sessions()) if (other !== session) least = Math.min(least, other.leastTimeMs);
    return least;
  }

  #sessions(): ClientSession[] {
    return [this.#live, ...this.#draining, ...this.#resting];
  }

  #nextSettled(): Promise<void> {
    return new Promise((resolve) => this.#waiters.add(resolve));
  }

  #wakeWaiters(): void {
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }
}

function keyOf(kind: KindName, metric: string, tags: readonly string[]): string {
  return tags.length === 0 ? `${kind}\0${metric}` : `${kind}\0${metric}\0${tags.join('\0')}`;
}

function checkOptions(options: ClientOptions, addresses: readonly string[]): void {
  const refuse = (field: string, limit: string): TidemarkError =>
    new TidemarkError('invalid_argument', `client option ${field} must be ${limit}`, { field, limit });
  if (Buffer.byteLength(options.name) > MAX_NAME_BYTES || options.name === '') {
    throw refuse('name', `1 to ${MAX_NAME_BYTES} bytes`);
  }
  if (addresses.length === 0) throw refuse('addresses', 'at least one');
  for (const [field, value] of Object.entries(options)) {
    if (typeof value === 'number' && !(Number.isFinite(value) && value >= 0)) throw refuse(field, 'finite, 0 or more');
  }
  for (const field of [
    'maxBatchBytes',
    'memoryBytes',
    'maxSeries',
    'spoolBytes',
    'spoolFileBytes',
    'replayStreams',
  ] as const) {
    if (options[field] < 1) throw refuse(field, 'at least 1');
  }
}
