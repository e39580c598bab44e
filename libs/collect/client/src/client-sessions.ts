import { assert, isTidemarkError, type TidemarkError } from '@tidemark/ports';
import type { ClientPorts } from './client-ports.ts';
import { ClientSession } from './client-session.ts';
import type { FlushSchedule } from './flush-schedule.ts';
import type { Gatherer } from './gatherer.ts';
import type { MetricStatements } from './metric-statements.ts';
import type { ClientOptions } from './options.ts';
import type { RawBatch } from './raw-batch.ts';
import type { SeriesTable } from './series-table.ts';
import type { SessionOwner } from './session-owner.ts';
import type { Spool } from './spool.ts';
import type { ClientCounters } from './stats.ts';

/** After a failure of its disk, a client continues in memory and tries a new spool this much later. */
const SPOOL_RETRY_MS = 60_000;
const SESSION_BYTES = 16;

/** The parts that the client sessions of one client share. */
export interface ClientSessionsParts {
  readonly ports: ClientPorts;
  readonly options: ClientOptions;
  readonly counters: ClientCounters;
  /** The table of the series that batches have from now on. */
  readonly series: () => SeriesTable;
  readonly statements: MetricStatements;
  readonly gatherer: Pick<Gatherer, 'minTimeMs' | 'promise'>;
  readonly spool: Spool | undefined;
  readonly schedule: Pick<FlushSchedule, 'chosenMs' | 'fit' | 'intervalMs'>;
}

/**
 * The client sessions of one client: the live one, which takes new batches; those that are drained, of this run or of
 * earlier ones; and those of earlier runs that wait for their turn. A failure of the disk replaces the live session by
 * one without a spool. Also covered by client.test.ts, faults.test.ts and spool.test.ts.
 */
export class ClientSessions {
  readonly #parts: ClientSessionsParts;
  #live: ClientSession;
  readonly #draining = new Set<ClientSession>();
  readonly #resting: ClientSession[] = [];
  /** Work on spools that `stop` waits for: settled client sessions delete theirs, and earlier ones are read. */
  readonly #ending = new Set<Promise<void>>();
  readonly #waiters = new Set<() => void>();
  /** When to try a new spool, monotonic ms. */
  #spoolRetryMs = Number.POSITIVE_INFINITY;
  /** False while an earlier spool can't be read: the age of its points is unknown. */
  #minTimeKnown = true;
  /** When to read earlier spools that could not be read, monotonic ms. */
  #unreadRetryMs = Number.POSITIVE_INFINITY;
  /** When to try again to remove spools that could not be removed, monotonic ms. */
  #removalRetryMs = Number.POSITIVE_INFINITY;
  #lastError: TidemarkError | undefined;
  #closed = false;
  /** Points that this client had refused at the last report, and changes of what it says of metrics. */
  #reportedPoints = 0;
  #reportedChanges = 0;

  constructor(parts: ClientSessionsParts) {
    this.#parts = parts;
    this.#live = this.#newSession(parts.spool !== undefined);
  }

  /** The last failure of a stream or of the spool, else of this library itself. */
  get lastError(): TidemarkError | undefined {
    return this.#lastError ?? this.#parts.counters.lastFailure;
  }

  /** Bytes that the live session's batches hold in memory. */
  get memoryBytes(): number {
    return this.#live.memoryBytes;
  }

  get pendingPoints(): number {
    return this.#all().reduce((sum, session) => sum + session.pendingPoints, 0);
  }

  get spooledPoints(): number {
    return this.#all().reduce((sum, session) => sum + session.spooledPoints, 0);
  }

  /** True when every batch of every session is settled. */
  get isSettled(): boolean {
    return this.#all().every((session) => session.isSettled);
  }

  /**
   * Restores the sessions that earlier runs left in the spool. Those that can't be read now are read again later, see
   * `retrySpool`. Errors: the disk's, and a newer format.
   */
  async recover(): Promise<void> {
    const { ports, spool, counters, options } = this.#parts;
    if (spool === undefined) return;
    this.#unreadRetryMs = Number.POSITIVE_INFINITY;
    const { found, failure } = await spool.recover(counters);
    this.#minTimeKnown = failure === undefined;
    if (failure !== undefined) {
      this.#lastError = failure;
      this.#unreadRetryMs = ports.clock.monotonicMs() + options.maxBackoffMs;
    }
    for (const recovered of found) {
      const session: ClientSession = ClientSession.recover(
        this.#ownerOf(() => session),
        recovered.session,
        recovered.spool,
      );
      counters.recoveredPoints += session.pendingPoints;
      spool.add(session);
      this.#resting.push(session);
    }
    this.#scheduleRemoval();
    spool.keepBound('stamped');
  }

  start(): void {
    this.#live.start();
    this.#startResting();
  }

  /** Divides a batch before it is enqueued, by the series that the platform knows. */
  divide(batch: RawBatch): RawBatch[] {
    return this.#live.divide(batch);
  }

  enqueue(batch: RawBatch): void {
    this.#live.enqueue(batch);
  }

  /** Lets the live session report what this client has refused and says, although there may be no batch to send. */
  report(): void {
    const { points } = this.#parts.counters.localRefusals;
    const { changes } = this.#parts.statements;
    if (points === this.#reportedPoints && changes === this.#reportedChanges) return;
    this.#reportedPoints = points;
    this.#reportedChanges = changes;
    this.#live.wake();
  }

  /** Repeats what a failure of the disk has kept from being done, once that is due: new, earlier and settled spools. */
  retrySpool(): void {
    const nowMs = this.#parts.ports.clock.monotonicMs();
    if (nowMs >= this.#unreadRetryMs) this.#recoverUnread();
    if (nowMs >= this.#removalRetryMs) this.#removeSettled();
    if (nowMs < this.#spoolRetryMs) return;
    this.#spoolRetryMs = Number.POSITIVE_INFINITY;
    this.#replaceLive(true);
  }

  /** True when the live session has nothing to send, so that batches of another one do not pass its own. */
  get isLiveSettled(): boolean {
    return this.#live.isSettled;
  }

  /**
   * Makes a session of another table the live one. Returns false when as many sessions as replay at once are still
   * sending, as when no intake is reachable.
   */
  renew(replaceTable: () => void): boolean {
    if (this.#closed || this.#draining.size >= this.#parts.options.replayStreams) return false;
    replaceTable();
    const old = this.#live;
    this.#live = this.#newSession(old.spool !== undefined);
    this.#live.start();
    this.#draining.add(old);
    if (old.isSettled) this.#onSettled(old);
    return true;
  }

  /** Resolves when batches were settled or given up, or at the end. */
  nextSettled(): Promise<void> {
    return new Promise((resolve) => this.#waiters.add(resolve));
  }

  /** From now on no session is started or deleted. */
  end(): void {
    this.#closed = true;
    this.#wakeWaiters();
  }

  /** Stops all sessions; unsettled batches stay in the spool, or are given up. */
  async stop(): Promise<void> {
    await Promise.all(this.#ending);
    const sessions = this.#all();
    await Promise.all([...this.#ending, ...sessions.map((session) => session.stop())]);
    for (const session of sessions) session.dropUnspooled('closed');
  }

  #recoverUnread(): void {
    this.#awaitAtStop(this.recover().then(() => this.#startResting()));
  }

  #removeSettled(): void {
    const { spool, counters } = this.#parts;
    if (spool === undefined) return;
    this.#removalRetryMs = Number.POSITIVE_INFINITY;
    const removing = spool.removeSettled().catch((error: unknown) => {
      if (!isTidemarkError(error)) throw error;
      counters.spoolFailures++;
      this.#lastError = error;
    });
    this.#awaitAtStop(removing.then(() => this.#scheduleRemoval()));
  }

  #scheduleRemoval(): void {
    const { ports, options, spool } = this.#parts;
    if (spool?.hasUnremoved) this.#removalRetryMs = ports.clock.monotonicMs() + options.maxBackoffMs;
  }

  #awaitAtStop(work: Promise<void>): void {
    const ending = work
      .catch((error: unknown) => this.#parts.counters.fail(error))
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #newSession(spooled: boolean): ClientSession {
    const { ports, series, spool } = this.#parts;
    const id = ports.random.bytes(SESSION_BYTES);
    assert(id.length === SESSION_BYTES, 'a client session is 16 bytes');
    const own = spooled ? spool?.create(id, ports.clock.wallMs()) : undefined;
    const session: ClientSession = new ClientSession(
      this.#ownerOf(() => session),
      id,
      series(),
      own,
    );
    if (own !== undefined) spool?.add(session);
    return session;
  }

  #ownerOf(session: () => ClientSession): SessionOwner {
    const { ports, options, counters, statements, gatherer, spool, schedule } = this.#parts;
    return {
      connector: ports.connector,
      clock: ports.clock,
      random: ports.random,
      addresses: ports.addresses,
      options,
      counters,
      statements,
      isLive: () => session() === this.#live,
      minOtherTimeMs: () => this.#minOtherTimeMs(session()),
      onPromise: (frontierMs) => gatherer.promise(frontierMs),
      onSpoolFailure: (error) => this.#onSpoolFailure(session(), error),
      onSpoolGrowth: (added) => spool?.keepBound(added),
      onSettled: () => this.#onSettled(session()),
      onError: (error) => {
        this.#lastError = error;
      },
      onLateness: (latenessMs) => schedule.fit(latenessMs),
      flushIntervalMs: schedule.chosenMs,
      amountIntervalMs: () => schedule.intervalMs || schedule.chosenMs,
    };
  }

  #startResting(): void {
    while (!this.#closed && this.#draining.size < this.#parts.options.replayStreams) {
      const session = this.#resting.shift();
      if (session === undefined) return;
      this.#draining.add(session);
      session.start();
    }
  }

  /** Makes a new session the live one; the old one drains. */
  #replaceLive(spooled: boolean): void {
    const old = this.#live;
    this.#live = this.#newSession(spooled);
    this.#live.start();
    this.#draining.add(old);
    for (const batch of old.takeUnspooled()) this.#live.enqueue(batch);
    if (old.isSettled) this.#onSettled(old);
  }

  /** A spool that can't be written must not hold up new batches: they are sent from memory, under a session of their own. */
  #onSpoolFailure(session: ClientSession, error: TidemarkError): void {
    this.#lastError = error;
    if (session !== this.#live || this.#closed) return;
    this.#spoolRetryMs = this.#parts.ports.clock.monotonicMs() + SPOOL_RETRY_MS;
    this.#replaceLive(false);
  }

  #onSettled(session: ClientSession): void {
    if (!this.#closed && session !== this.#live && session.isSettled && this.#draining.delete(session)) {
      // The caller may be the session's own loop, which ends only after this turn.
      const stopping = session.stop().finally(() => this.#parts.spool?.delete(session));
      this.#awaitAtStop(stopping.finally(() => this.#scheduleRemoval()));
      this.#startResting();
    }
    this.#wakeWaiters();
  }

  #minOtherTimeMs(session: ClientSession): number {
    if (!this.#minTimeKnown) return Number.NaN;
    let minMs = this.#parts.gatherer.minTimeMs;
    for (const other of this.#all()) if (other !== session) minMs = Math.min(minMs, other.minTimeMs);
    return minMs;
  }

  #all(): ClientSession[] {
    return [this.#live, ...this.#draining, ...this.#resting];
  }

  #wakeWaiters(): void {
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }
}
