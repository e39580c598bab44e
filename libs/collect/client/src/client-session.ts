import type { Batch, BatchResult, DefinitionsResult, SendRequest } from '@tidemark/contract';
import type { PartitionMap } from '@tidemark/model';
import { assert, backoffMs, TidemarkError } from '@tidemark/ports';
import { BatchQueue } from './batch-queue.ts';
import { type Knowledge, KnownSeries } from './known-series.ts';
import { rejectionOf } from './options.ts';
import { QueuedBatch, requestBytes } from './queued-batch.ts';
import type { RawBatch } from './raw-batch.ts';
import type { RecoveredSession } from './recover-session.ts';
import { RefusalReport } from './refusal-report.ts';
import { BatchRouter } from './route-batch.ts';
import type { SeriesTable } from './series-table.ts';
import { SessionLink } from './session-link.ts';
import type { SessionOwner } from './session-owner.ts';
import { SessionRoutes } from './session-routes.ts';
import type { SessionSpool } from './session-spool.ts';
import type { SessionStream } from './session-stream.ts';
import { GROUP_BYTES, SpooledBatches } from './spooled-batches.ts';
import { StatementReport } from './statement-report.ts';
import { UnsettledBatches } from './unsettled-batches.ts';
import { unsurePoints } from './unsure-points.ts';
import { WakeSignal } from './wake-signal.ts';

/** Batches that are stamped before they are made durable together. */
const GROUP_BATCHES = 64;
/** Series without an answer from which on no more are defined. */
const DEFINED_AHEAD = 4096;
/** A session with unsettled batches checks its deadlines at least this often. */
const MAX_IDLE_MS = 60_000;

/**
 * One client session: its sequences, refs and unsettled batches, from the flush until they are settled. A session of an
 * earlier run only drains. One loop does all the work; replies only change the batches and wake it. client.test.ts,
 * faults.test.ts and spool.test.ts cover it.
 */
export class ClientSession {
  readonly id: Uint8Array;
  readonly spool: SessionSpool | undefined;
  readonly #owner: SessionOwner;
  readonly #series: SeriesTable;
  readonly #router: BatchRouter;
  readonly #wake: WakeSignal;
  readonly #queue = new BatchQueue();
  readonly #routes: SessionRoutes;
  readonly #unsettled: UnsettledBatches;
  readonly #link: SessionLink;
  readonly #report: RefusalReport;
  readonly #statements: StatementReport;
  readonly #spooled: SpooledBatches | undefined;
  readonly #known = new KnownSeries();
  #nextNumber = 0;
  #nextSequence = 0;
  /** True when a step left work for the next one. */
  #more = false;
  #stopped = false;
  /** Steps in a row that failed by an internal error. */
  #failures = 0;
  #running: Promise<void> | undefined;

  /** `tenant` is the one that an earlier run's spool belongs to. */
  constructor(owner: SessionOwner, id: Uint8Array, series: SeriesTable, spool?: SessionSpool, tenant?: string) {
    this.id = id;
    this.spool = spool;
    this.#owner = owner;
    this.#series = series;
    this.#router = new BatchRouter(series);
    this.#report = new RefusalReport(owner);
    this.#statements = new StatementReport(owner, owner.statements);
    this.#wake = new WakeSignal(owner.clock);
    this.#routes = new SessionRoutes(series);
    this.#unsettled = new UnsettledBatches(owner, this.#queue, this.#routes, (batch) => {
      this.#spooled?.settled(batch);
      // Others may have waited for it: the window counts from the oldest.
      this.#wake.raise();
    });
    const handlers = {
      onMap: (map: PartitionMap) => this.#onMap(map),
      onResult: (result: BatchResult) => this.#onResult(result),
      onDefinitions: (result: DefinitionsResult) => this.#onDefinitions(result),
      onChange: () => this.#wake.raise(),
    };
    this.#link = new SessionLink(owner, id, this.#queue, handlers, tenant);
    this.#spooled = spool === undefined ? undefined : this.#spooledBatches(spool);
  }

  /** Restores a client session of an earlier run from its spool. */
  static recover(owner: SessionOwner, found: RecoveredSession, spool: SessionSpool): ClientSession {
    const session = new ClientSession(owner, found.clientSession, found.series, spool, found.tenant);
    session.#nextNumber = found.nextNumber;
    session.#nextSequence = found.nextSequence;
    for (const range of found.refs) session.#routes.restore(range);
    const batches = found.batches.map(({ number, points, minTimeMs, unsure = 0, waiting, stamped }) => {
      const batch = new QueuedBatch(number, points, minTimeMs);
      batch.waitingPlace = waiting;
      batch.stampedPlace = stamped;
      batch.stamp = stamped;
      batch.sent = stamped !== undefined;
      batch.unsure = unsure;
      batch.unsureNoted = unsure;
      // Now: the tables grow when other batches of the spool get their stamps.
      if (stamped !== undefined) batch.needsAll(session.#routes.of(stamped.epoch).tables);
      return batch;
    });
    for (const batch of batches) session.#queue.add(batch);
    for (const batch of batches.filter(({ stamp }) => stamp !== undefined).sort(bySequence))
      session.#unsettled.addStamped(batch);
    return session;
  }

  get pendingPoints(): number {
    return this.#queue.points;
  }

  get spooledPoints(): number {
    return this.#queue.spooledPoints;
  }

  get memoryBytes(): number {
    return this.#queue.memoryBytes;
  }

  /** True when every batch is settled. */
  get isSettled(): boolean {
    return this.#queue.all.size === 0;
  }

  /** The minimum timestamp among unsettled batches, ms; Infinity when there is none. */
  get minTimeMs(): number {
    return this.#queue.minTimeMs;
  }

  start(): void {
    this.#running = this.#loop();
  }

  /** Ends the stream and the loop. The spool is kept while something is unsettled, else deleted. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#link.close();
    this.#wake.raise();
    await this.#running;
    await this.#spooled?.close();
  }

  /** Divides a batch so that points of series that the intake has judged do not wait for the definitions of others. */
  divide(raw: RawBatch): RawBatch[] {
    return this.#known.divide(raw, this.#knowledge());
  }

  #knowledge(): Knowledge | undefined {
    const { stream } = this.#link;
    const { map } = this.#routes;
    if (stream === undefined || map === undefined) return undefined;
    const { epoch } = map;
    const routes = this.#routes.of(epoch);
    const judged = new Map<number, number>();
    for (const partition of routes.tables.keys())
      judged.set(partition, stream.definitions.answeredRefs(epoch, partition));
    const isJudged = (series: number) =>
      routes.isAssigned(series) && routes.refOf(series) < (judged.get(routes.partitionOf(series)) ?? 0);
    return { stream, epoch, isJudged, unsent: this.#unsentOn(stream), nextNumber: this.#nextNumber };
  }

  enqueue(raw: RawBatch): void {
    const batch = new QueuedBatch(this.#nextNumber++, raw.points, raw.minTimeMs, raw.fate);
    batch.knownGroup = this.#known.add(raw, batch.number);
    batch.holdRaw(raw);
    this.#queue.add(batch);
    this.#unsettled.keepMemoryBound();
    this.#wake.raise();
  }

  /** All batches below this number were sent on the stream, or given up. */
  #unsentOn(stream: SessionStream): number {
    for (const { number, sentOn } of this.#queue.all.values()) if (sentOn !== stream) return number;
    return this.#nextNumber;
  }

  /** Lets the loop look for what is due. */
  wake(): void {
    this.#wake.raise();
  }

  /** Gives up every batch that is in memory alone, when the program ends. */
  dropUnspooled(reason: string): void {
    this.#unsettled.dropUnspooled(reason);
  }

  /** Gives up the oldest batches of the spool, at the next step. */
  dropOldest(): void {
    this.#spooled?.requestDrop();
    this.#wake.raise();
  }

  /** Removes and returns the batches that were never offered to the spool, so that another session may send them. */
  takeUnspooled(): RawBatch[] {
    return this.#unsettled.takeUnspooled();
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      this.#more = false;
      let idleMs: number | undefined;
      try {
        await this.#step();
        this.#failures = 0;
      } catch (error) {
        idleMs = this.#pauseAfter(error);
      }
      if (this.#more) this.#wake.raise();
      await this.#wake.wait(idleMs ?? this.#idleMs());
    }
  }

  /** An error of this library must not end the program as an unhandled rejection. The next step tries again. */
  #pauseAfter(error: unknown): number {
    this.#owner.counters.fail(error);
    const { options, random } = this.#owner;
    this.#more = false;
    return backoffMs(this.#failures++, options.backoffMs, options.maxBackoffMs, random);
  }

  async #step(): Promise<void> {
    await this.#spooled?.dropRequested();
    this.#unsettled.giveUpOld();
    this.#link.keepOpen();
    if (this.#link.stream?.writable) {
      this.#report.sendDue(this.#link.stream);
      await this.#stampWaiting();
      await this.#sendDue();
      this.#defineAhead();
      // After the definitions: an intake keeps few statements of metrics that it does not know.
      if (this.#link.stream?.writable) this.#statements.sendDue(this.#link.stream, this.#routes.map?.epoch);
    }
    if (await this.#spooled?.putWaiting(false)) this.#more = true;
    await this.#spooled?.writeSettled();
  }

  /** How long the loop may wait when nothing happens. */
  #idleMs(): number {
    const nowMs = this.#owner.clock.monotonicMs();
    let { nextMs } = this.#link;
    if (this.#spooled?.isPaused) nextMs = Math.min(nextMs, this.#spooled.retryMs);
    return Math.max(0, Math.min(nextMs - nowMs, this.isSettled ? Number.POSITIVE_INFINITY : MAX_IDLE_MS));
  }

  #spooledBatches(spool: SessionSpool): SpooledBatches {
    const nextSequence = () => this.#nextSequence;
    const tenant = () => this.#link.tenant;
    return new SpooledBatches(spool, {
      owner: this.#owner,
      series: this.#series,
      queue: this.#queue,
      routes: this.#routes,
      get tenant() {
        return tenant();
      },
      get nextSequence() {
        return nextSequence();
      },
      merged: (batch, points) => this.#unsettled.merged(batch, points),
      giveUp: (batch, reason, field, limit) => this.#unsettled.giveUp(batch, reason, field, limit),
      onWaitingSpooled: () => this.#unsettled.keepMemoryBound(),
    });
  }

  // Replies

  #onMap(map: PartitionMap): void {
    this.#routes.useMap(map, this.#link.tenant ?? '');
    this.#wake.raise();
  }

  #onResult(result: BatchResult): void {
    const batch = this.#queue.stamped.get(result.sequence);
    if (batch === undefined || batch.sentOn !== this.#link.stream) return;
    this.#link.resetBackoff();
    if (!this.#unsettled.settle(batch, result)) this.#retryLater(batch, result);
    this.#wake.raise();
  }

  #retryLater(batch: QueuedBatch, result: BatchResult): void {
    const { clock, options, random } = this.#owner;
    const [why] = result.rejections;
    if (why !== undefined) {
      const { reason, field, limit, message } = why;
      this.#owner.onError(new TidemarkError('unavailable', message, { reason, field, limit }));
    }
    const pauseMs = backoffMs(batch.attempts++, options.backoffMs, options.maxBackoffMs, random);
    batch.dueMs = clock.monotonicMs() + Math.min(result.retryAfterMs, options.replyTimeoutMs) + pauseMs;
  }

  #onDefinitions(result: DefinitionsResult): void {
    for (const { rejection } of result.refused) {
      if (rejection !== undefined) this.#owner.counters.rejectedByPlatform(rejectionOf(rejection));
    }
  }

  // Stamps and sends

  async #stampWaiting(): Promise<void> {
    if (this.#routes.map === undefined || this.#spooled?.isPaused) return;
    const group: QueuedBatch[] = [...this.#queue.stamped.values()].filter((batch) => this.#needsSpool(batch));
    let groupBytes = 0;
    for (const batch of this.#queue.waiting.values()) {
      if (group.length >= GROUP_BATCHES || groupBytes >= GROUP_BYTES) {
        this.#more = true;
        break;
      }
      if (this.#nextSequence - this.#queue.floor(this.#nextSequence) >= this.#link.window) break;
      const raw = batch.raw ?? (await this.#inSpool.loadRaw(batch));
      // While it was read, the stream may have ended and the batch been given up.
      if (batch.gone || raw === undefined) continue;
      if (!this.#link.stream?.writable) break;
      if (this.#stampOne(batch, raw)) {
        group.push(batch);
        groupBytes += batch.memoryBytes;
      }
    }
    if (group.length > 0) await this.#spooled?.putStamped(group);
  }

  #needsSpool(batch: QueuedBatch): boolean {
    return this.#spooled !== undefined && batch.stampedPlace === undefined;
  }

  get #inSpool(): SpooledBatches {
    assert(this.#spooled !== undefined, 'a batch that is not in memory is in the spool');
    return this.#spooled;
  }

  #stampOne(batch: QueuedBatch, raw: RawBatch): boolean {
    const { map } = this.#routes;
    assert(map !== undefined, 'a stamp names a map');
    const { clock } = this.#owner;
    const { epoch } = map;
    const { shares, refs, points } = this.#router.route(raw, this.#routes.of(epoch));
    this.#unsettled.merged(batch, points);
    this.#queue.takeWaiting(batch);
    const frontierMs = this.#frontierMs();
    const stampedMs = Math.floor(clock.wallMs());
    const value: Batch = {
      sequence: this.#nextSequence,
      mapEpoch: epoch,
      floor: this.#queue.floor(this.#nextSequence),
      frontierMs,
      stampedMs,
      shares,
    };
    const request: SendRequest = { message: { $case: 'batch', value } };
    if (requestBytes(request) > this.#link.maxMessageBytes) {
      this.#unsettled.giveUp(batch, 'message_too_large', 'max_message_bytes', `${this.#link.maxMessageBytes} bytes`);
      return false;
    }
    batch.stamp = { sequence: this.#nextSequence++, epoch, stampedMs };
    batch.refs = refs;
    batch.attempts = 0;
    this.#queue.change(batch, () => batch.holdRequest(request));
    this.#unsettled.addStamped(batch);
    if (frontierMs !== undefined) this.#owner.onPromise(frontierMs);
    return true;
  }

  /**
   * The frontier of the next batch: the minimum timestamp of all that is unsettled, in any client session, or gathered.
   * No other batch of the client will have an older one. Undefined while that is unknown.
   */
  #frontierMs(): number | undefined {
    const minMs = Math.floor(Math.min(this.#queue.minTimeMs, this.#owner.minOtherTimeMs()));
    return Number.isSafeInteger(minMs) ? minMs : undefined;
  }

  /** Points that the last send of a batch may have left out, if no answer says it. */
  #unanswered({ sentOn, sentMs, isAnswered }: QueuedBatch, batch: Batch): number {
    if (sentOn === undefined || isAnswered) return 0;
    return this.#unsureOn(sentOn, batch, sentMs);
  }

  /** Points that a send on the stream at that time, monotonic ms, may leave out. */
  #unsureOn(stream: SessionStream, batch: Batch, sentMs: number): number {
    return unsurePoints(batch, { definitions: stream.definitions, newestMs: stream.newestMs(sentMs) });
  }

  /** Before a send: what it may leave out, for the next run of the program, if this one ends without an answer. */
  async #noteUnsure(batch: QueuedBatch, points: number): Promise<void> {
    const unsure = Math.min(batch.points, points);
    if (this.#spooled === undefined || unsure <= batch.unsureNoted) return;
    batch.unsureNoted = unsure;
    await this.#spooled.noteUnsure(batch, unsure);
  }

  /**
   * Sends the batches that are due and whose series the intake has judged. Those of known series don't wait for the others;
   * apart from that none is sent before an earlier one, which may have the same series.
   */
  async #sendDue(): Promise<void> {
    const nowMs = this.#owner.clock.monotonicMs();
    const isHeld = { known: false, others: false };
    for (const batch of this.#queue.stamped.values()) {
      if (batch.sentOn === this.#link.stream && nowMs < batch.dueMs) continue;
      if (this.#needsSpool(batch) || batch.stamp === undefined) continue;
      const { stream } = this.#link;
      if (!stream?.writable) return;
      const epoch = this.#routes.map?.epoch ?? 0;
      const known = this.#known.groupOf({ stream, epoch, nextNumber: this.#nextNumber });
      const lane = batch.knownGroup === known ? 'known' : 'others';
      isHeld[lane] ||= !batch.isDefined(stream.definitions);
      if (isHeld[lane]) continue;
      const request = batch.request ?? (await this.#inSpool.loadRequest(batch));
      if (batch.gone || request === undefined) continue;
      // While it was read, the stream may have ended.
      if (stream !== this.#link.stream || !stream.writable) return;
      const { message } = request;
      assert(message?.$case === 'batch', 'the request of a batch has one');
      const unsure = batch.unsure + this.#unanswered(batch, message.value);
      const next = this.#spooled === undefined ? 0 : this.#unsureOn(stream, message.value, nowMs);
      if (next > 0) {
        await this.#noteUnsure(batch, unsure + next);
        if (batch.gone) continue;
        if (stream !== this.#link.stream || !stream.writable) return;
      }
      batch.unsure = unsure;
      stream.send(request);
      this.#owner.counters.batchesSent++;
      if (batch.sent) this.#owner.counters.batchesResent++;
      batch.resent = batch.sent;
      batch.sent = true;
      batch.sentOn = stream;
      batch.sentMs = nowMs;
      batch.isAnswered = false;
      batch.dueMs = nowMs + this.#owner.options.replyTimeoutMs;
      if (this.memoryBytes > this.#owner.options.memoryBytes && batch.isOnDisk)
        this.#queue.change(batch, () => batch.release());
    }
  }

  /**
   * Sends the definitions of the other batches a few thousand ahead: with more, an intake that is slow with them would take
   * no batch for as long.
   */
  #defineAhead(): void {
    for (const batch of this.#queue.stamped.values()) {
      const { stream } = this.#link;
      if (!stream?.writable || stream.definitions.unanswered >= DEFINED_AHEAD) return;
      if (batch.stamp === undefined || this.#needsSpool(batch) || batch.isDefined(stream.definitions)) continue;
      stream.define(this.#routes.of(batch.stamp.epoch), batch.refs, this.#series);
    }
  }
}

function bySequence(a: QueuedBatch, b: QueuedBatch): number {
  return (a.stamp?.sequence ?? 0) - (b.stamp?.sequence ?? 0);
}
