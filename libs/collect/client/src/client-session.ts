import { ByteWriter } from '@tidemark/bytes';
import {
  Batch,
  type BatchResult,
  BatchResult_Outcome,
  type DefinitionsResult,
  type SendRequest,
} from '@tidemark/contract';
import type { PartitionMap } from '@tidemark/model';
import { assert, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { backoffMs } from './backoff.ts';
import { BatchQueue } from './batch-queue.ts';
import { EpochRoutes } from './epoch-routes.ts';
import { givenUp, rejectionOf } from './options.ts';
import { QueuedBatch, requestBytes } from './queued-batch.ts';
import type { RawBatch } from './raw-batch.ts';
import type { RecoveredSession } from './recover-session.ts';
import { BatchRouter } from './route-batch.ts';
import type { SeriesTable } from './series-table.ts';
import type { SessionOwner } from './session-owner.ts';
import type { SessionSpool } from './session-spool.ts';
import { SessionStream, type StreamTerms } from './session-stream.ts';
import { isDefined, readStamped, readWaiting } from './stored-batch.ts';
import { WakeSignal } from './wake-signal.ts';

/** What is stamped, or spooled, before it is made durable together. */
const GROUP_BATCHES = 64;
const GROUP_BYTES = 8 * 1024 * 1024;

/**
 * One client session: its sequences, refs and unsettled batches, and the stream they go over. A session of an earlier
 * run is one too, that only drains. All work is done by one loop; replies only change the batches and wake it.
 */
export class ClientSession {
  readonly id: Uint8Array;
  readonly spool: SessionSpool | undefined;
  readonly #owner: SessionOwner;
  readonly #series: SeriesTable;
  readonly #router: BatchRouter;
  readonly #wake: WakeSignal;
  readonly #shareOut = new ByteWriter();
  readonly #queue = new BatchQueue();
  readonly #routes = new Map<number, EpochRoutes>();
  #nextNumber = 0;
  #nextSequence = 0;
  #tenant: string | undefined;
  #map: PartitionMap | undefined;
  #window = 0;
  #maxMessageBytes = 0;
  #stream: SessionStream | undefined;
  #address: number;
  #failures = 0;
  #reconnectMs = 0;
  #greetingDeadlineMs = 0;
  #heardMs = 0;
  #spoolRetryMs = 0;
  #dropRequested = false;
  #more = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(owner: SessionOwner, id: Uint8Array, series: SeriesTable, spool?: SessionSpool) {
    this.id = id;
    this.spool = spool;
    this.#owner = owner;
    this.#series = series;
    this.#router = new BatchRouter(series);
    this.#wake = new WakeSignal(owner.clock);
    this.#address = Math.floor(owner.random.next() * owner.addresses.length);
  }

  /** Takes up a client session of an earlier run where its spool ends. */
  static recover(owner: SessionOwner, found: RecoveredSession, spool: SessionSpool): ClientSession {
    const session = new ClientSession(owner, found.clientSession, found.series, spool);
    session.#tenant = found.tenant;
    session.#nextNumber = found.nextNumber;
    session.#nextSequence = found.nextSequence;
    for (const range of found.refs) session.#routesOf(range.epoch).restore(range);
    const batches = found.batches.map(({ number, points, leastTimeMs, waiting, stamped }) => {
      const batch = new QueuedBatch(number, points, leastTimeMs);
      batch.waitingPlace = waiting;
      batch.stampedPlace = stamped;
      batch.stamp = stamped;
      batch.sent = stamped !== undefined;
      return batch;
    });
    for (const batch of batches) session.#queue.add(batch);
    for (const batch of batches.filter(({ stamp }) => stamp !== undefined).sort(bySequence)) session.#addStamped(batch);
    return session;
  }

  get pendingPoints(): number {
    return this.#queue.points;
  }

  get memoryBytes(): number {
    return this.#queue.memoryBytes;
  }

  /** True when every batch is settled. */
  get isSettled(): boolean {
    return this.#queue.all.size === 0;
  }

  /** The least timestamp among unsettled batches, ms; Infinity when there is none. */
  get leastTimeMs(): number {
    return this.#queue.leastTimeMs;
  }

  start(): void {
    this.#running = this.#loop();
  }

  /** Ends the stream and the loop. The spool is kept when something is unsettled, else deleted. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stream?.close();
    this.#wake.raise();
    await this.#running;
    if (this.spool === undefined) return;
    try {
      if (this.isSettled) {
        await this.spool.remove();
        return;
      }
      await this.#spoolWaiting(true);
      await this.spool.writeSettled(this.#nextSequence);
    } catch (error) {
      this.#countSpoolFailure(error);
    }
    await this.spool.close();
  }

  enqueue(raw: RawBatch): void {
    const batch = new QueuedBatch(this.#nextNumber++, raw.points, raw.leastTimeMs);
    batch.holdRaw(raw);
    this.#queue.add(batch);
    this.#keepMemoryBound();
    this.#wake.raise();
  }

  /** Gives up every batch that is in memory alone, when the program ends. */
  dropUnspooled(reason: string): void {
    for (const batch of [...this.#queue.all.values()]) if (!batch.isOnDisk) this.#giveUp(batch, reason, 'close', '');
  }

  dropOldest(): void {
    this.#dropRequested = true;
    this.#wake.raise();
  }

  /** Takes out the batches that were never offered to the spool, so that another session may send them. */
  takeUnspooled(): RawBatch[] {
    const taken: RawBatch[] = [];
    for (const batch of [...this.#queue.waiting.values()]) {
      if (batch.raw === undefined || batch.waitingPlace !== undefined || batch.attempts > 0) continue;
      taken.push(batch.raw);
      this.#forget(batch);
    }
    return taken;
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      this.#more = false;
      await this.#step();
      if (this.#more) this.#wake.raise();
      await this.#wake.wait(this.#idleMs());
    }
  }

  async #step(): Promise<void> {
    if (this.#dropRequested) await this.#dropFromSpool();
    this.#giveUpOld();
    this.#leaveSilent();
    this.#connect();
    if (this.#stream?.writable) {
      await this.#stampWaiting();
      await this.#sendDue();
    }
    await this.#spoolWaiting(false);
    await this.#writeSettled();
  }

  /** How long nothing is to be done if nothing happens. */
  #idleMs(): number {
    const nowMs = this.#owner.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    if (this.#stream === undefined) nextMs = this.#reconnectMs;
    else if (!this.#stream.greeted) nextMs = this.#greetingDeadlineMs;
    else nextMs = this.#stream.writable ? this.#queue.nextDueMs(this.#stream) : this.#silentMs(this.#stream);
    if (this.spool !== undefined && this.#spoolRetryMs > nowMs) nextMs = Math.min(nextMs, this.#spoolRetryMs);
    return Math.max(0, Math.min(nextMs - nowMs, this.#queue.all.size > 0 ? 60_000 : Number.POSITIVE_INFINITY));
  }

  // The stream

  /** When an intake that owes answers has said nothing for so long that it is given up. */
  #silentMs(stream: SessionStream): number {
    return Math.max(this.#queue.nextDueMs(stream), this.#heardMs + this.#owner.options.replyTimeoutMs);
  }

  /** An intake that answers nothing is frozen, or broken: another one may take the points. */
  #leaveSilent(): void {
    const { clock, options } = this.#owner;
    if (!this.#stream?.greeted || clock.monotonicMs() < this.#silentMs(this.#stream)) return;
    const message = `the intake answered nothing for ${options.replyTimeoutMs} ms (limit: replyTimeoutMs)`;
    this.#stream.abandon(new TidemarkError('deadline_exceeded', message));
  }

  #connect(): void {
    const { clock, options, connector, addresses } = this.#owner;
    const nowMs = clock.monotonicMs();
    if (this.#stream !== undefined && !this.#stream.greeted && nowMs >= this.#greetingDeadlineMs) {
      this.#stream.abandon(
        new TidemarkError('deadline_exceeded', `no greeting within ${options.greetingTimeoutMs} ms`, {
          field: 'greetingTimeoutMs',
        }),
      );
    }
    if (this.#stream !== undefined || nowMs < this.#reconnectMs) return;
    this.#greetingDeadlineMs = nowMs + options.greetingTimeoutMs;
    this.#owner.counters.connects++;
    const stream: SessionStream = new SessionStream(connector, addresses[this.#address], {
      onGreeting: (terms) => this.#onGreeting(terms),
      onMap: (map) => this.#onMap(map),
      onResult: (result) => this.#onResult(result),
      onDefinitions: (result) => this.#onDefinitions(result),
      onReady: () => this.#wake.raise(),
      onEnd: (error) => this.#onEnd(stream, error),
    });
    this.#stream = stream;
    stream.hello(this.id, options.name);
  }

  #onEnd(stream: SessionStream, error: TidemarkError | undefined): void {
    if (stream !== this.#stream) return;
    const { clock, options, random, addresses } = this.#owner;
    this.#stream = undefined;
    this.#reconnectMs =
      clock.monotonicMs() + backoffMs(this.#failures++, options.backoffMs, options.maxBackoffMs, random);
    this.#address = (this.#address + 1) % addresses.length;
    if (error !== undefined) this.#owner.onError(error);
    this.#wake.raise();
  }

  #onGreeting(terms: StreamTerms): void {
    if (this.#tenant !== undefined && this.#tenant !== terms.tenant) {
      throw new TidemarkError(
        'permission_denied',
        `this client session belongs to tenant ${this.#tenant}, the key to ${terms.tenant}`,
        { tenant: terms.tenant },
      );
    }
    this.#heardMs = this.#owner.clock.monotonicMs();
    this.#tenant = terms.tenant;
    this.#window = terms.window;
    this.#maxMessageBytes = terms.maxMessageBytes;
    this.#onMap(terms.map);
  }

  #onMap(map: PartitionMap): void {
    if (this.#map === undefined || map.epoch > this.#map.epoch) {
      this.#map = map;
      this.#routesOf(map.epoch).useMap(map, this.#tenant ?? '');
      this.#forgetOldRoutes();
    }
    this.#wake.raise();
  }

  #onResult(result: BatchResult): void {
    this.#heardMs = this.#owner.clock.monotonicMs();
    const batch = this.#queue.stamped.get(result.sequence);
    if (batch === undefined || batch.sentOn !== this.#stream) return;
    const { counters, clock, options, random } = this.#owner;
    this.#failures = 0;
    switch (result.outcome) {
      case BatchResult_Outcome.ACKED: {
        const rejected = Math.min(
          batch.points,
          result.rejections.reduce((sum, { points }) => sum + points, 0),
        );
        counters.rejectedPoints += rejected;
        counters.ackedPoints += batch.points - rejected;
        break;
      }
      case BatchResult_Outcome.REFUSED:
        counters.refusedPoints += batch.points;
        break;
      default: {
        const [why] = result.rejections;
        if (why !== undefined) {
          const { reason, field, limit, message } = why;
          this.#owner.onError(new TidemarkError('unavailable', message, { reason, field, limit }));
        }
        const pauseMs = backoffMs(batch.attempts++, options.backoffMs, options.maxBackoffMs, random);
        batch.dueMs = clock.monotonicMs() + Math.min(result.retryAfterMs, options.replyTimeoutMs) + pauseMs;
        this.#wake.raise();
        return;
      }
    }
    for (const rejection of result.rejections) counters.reject(rejectionOf(rejection));
    this.#forget(batch);
    this.#wake.raise();
  }

  #onDefinitions(result: DefinitionsResult): void {
    for (const { rejection } of result.refused) {
      if (rejection !== undefined) this.#owner.counters.reject(rejectionOf(rejection));
    }
  }

  // Stamps and sends

  async #stampWaiting(): Promise<void> {
    if (this.#map === undefined || !this.#maySpool()) return;
    const group: QueuedBatch[] = [...this.#queue.stamped.values()].filter((batch) => this.#needsSpool(batch));
    let groupBytes = 0;
    for (const batch of this.#queue.waiting.values()) {
      if (group.length >= GROUP_BATCHES || groupBytes >= GROUP_BYTES) {
        this.#more = true;
        break;
      }
      if (this.#nextSequence - this.#queue.floor(this.#nextSequence) >= this.#window) break;
      const raw = batch.raw ?? (await this.#loadRaw(batch));
      // While it was read, the stream may have ended and the batch been given up.
      if (batch.gone || raw === undefined) continue;
      if (!this.#stream?.writable) break;
      if (this.#stampOne(batch, raw)) {
        group.push(batch);
        groupBytes += batch.memoryBytes;
      }
    }
    if (this.spool !== undefined && group.length > 0) await this.#spoolStamped(this.spool, group);
  }

  #needsSpool(batch: QueuedBatch): boolean {
    return this.spool !== undefined && batch.stampedPlace === undefined;
  }

  #stampOne(batch: QueuedBatch, raw: RawBatch): boolean {
    assert(this.#map !== undefined, 'a stamp names a map');
    const { clock } = this.#owner;
    const { epoch } = this.#map;
    const shares = this.#router.route(raw, this.#routesOf(epoch));
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
    if (requestBytes(request) > this.#maxMessageBytes) {
      this.#giveUp(batch, 'message_too_large', 'max_message_bytes', `${this.#maxMessageBytes} bytes`);
      return false;
    }
    batch.stamp = { sequence: this.#nextSequence++, epoch, stampedMs };
    batch.attempts = 0;
    this.#queue.change(batch, () => batch.holdRequest(request));
    this.#addStamped(batch);
    if (frontierMs !== undefined) this.#owner.onPromise(frontierMs);
    return true;
  }

  /**
   * Nothing older than this will come in another batch: the least timestamp of what is unsettled in any client session,
   * and of what is still being gathered.
   */
  #frontierMs(): number | undefined {
    const least = Math.floor(Math.min(this.#queue.leastTimeMs, this.#owner.leastTimeBeside(this)));
    return Number.isSafeInteger(least) ? least : undefined;
  }

  async #sendDue(): Promise<void> {
    const nowMs = this.#owner.clock.monotonicMs();
    for (const batch of this.#queue.stamped.values()) {
      if (batch.sentOn === this.#stream && nowMs < batch.dueMs) continue;
      if (this.#needsSpool(batch)) continue;
      const request = batch.request ?? (await this.#loadRequest(batch));
      if (batch.gone || request === undefined || batch.stamp === undefined) continue;
      const stream = this.#stream;
      if (!stream?.writable) return;
      if (!stream.define(this.#routesOf(batch.stamp.epoch), this.#series) || !stream.writable) return;
      stream.send(request);
      this.#owner.counters.batchesSent++;
      if (batch.sent) this.#owner.counters.batchesResent++;
      batch.sent = true;
      batch.sentOn = stream;
      batch.dueMs = nowMs + this.#owner.options.replyTimeoutMs;
      if (this.memoryBytes > this.#owner.options.memoryBytes && batch.isOnDisk)
        this.#queue.change(batch, () => batch.release());
    }
  }

  // The spool

  #maySpool(): boolean {
    return this.spool === undefined || this.#owner.clock.monotonicMs() >= this.#spoolRetryMs;
  }

  async #spoolStamped(spool: SessionSpool, group: readonly QueuedBatch[]): Promise<void> {
    for (const batch of group) {
      const { stamp, request } = batch;
      if (stamp === undefined || request?.message?.$case !== 'batch' || batch.gone) continue;
      const { number, points, leastTimeMs } = batch;
      const record = { number, points, leastTimeMs, ...stamp, batch: Batch.encode(request.message.value).finish() };
      spool.addStamped(record, (place) => {
        batch.stampedPlace = place;
        if (batch.gone) spool.settled(number);
      });
    }
    await this.#commit(spool, 'stamped');
  }

  /** Puts what can't be sent now on disk. */
  async #spoolWaiting(atEnd: boolean): Promise<void> {
    const { spool } = this;
    if (spool === undefined || (!atEnd && !this.#maySpool())) return;
    let groupBytes = 0;
    for (const batch of this.#queue.waiting.values()) {
      const { number, points, leastTimeMs, raw } = batch;
      if (batch.waitingPlace !== undefined || raw === undefined) continue;
      if (groupBytes >= GROUP_BYTES && !atEnd) {
        this.#more = true;
        break;
      }
      raw.encode(this.#series, this.#shareOut);
      batch.attempts++;
      spool.addWaiting({ number, points, leastTimeMs, share: this.#shareOut.take() }, (place) => {
        batch.waitingPlace = place;
        if (batch.gone) spool.settled(number);
      });
      groupBytes += raw.sizeBytes;
    }
    if (groupBytes === 0) return;
    await this.#commit(spool, 'waiting');
    this.#keepMemoryBound();
  }

  async #commit(spool: SessionSpool, added: 'waiting' | 'stamped'): Promise<void> {
    try {
      spool.define(this.#tenant ?? '', this.#series, this.#routes.values());
      await spool.commit(this.#nextSequence);
      this.#owner.onSpoolGrowth(added);
    } catch (error) {
      this.#countSpoolFailure(error);
    }
  }

  async #writeSettled(): Promise<void> {
    if (this.spool === undefined || !this.#maySpool()) return;
    try {
      await this.spool.writeSettled(this.#nextSequence);
    } catch (error) {
      this.#countSpoolFailure(error);
    }
  }

  async #dropFromSpool(): Promise<void> {
    this.#dropRequested = false;
    if (this.spool === undefined) return;
    try {
      for (const number of await this.spool.dropOldest(this.#nextSequence)) {
        const batch = this.#queue.all.get(number);
        if (batch !== undefined)
          this.#giveUp(batch, 'spool_bound', 'spoolBytes', `${this.#owner.options.spoolBytes} bytes`);
      }
      this.#owner.onSpoolGrowth('stamped');
    } catch (error) {
      this.#countSpoolFailure(error);
    }
  }

  #countSpoolFailure(error: unknown): void {
    if (!isTidemarkError(error)) throw error;
    const { clock, options, counters } = this.#owner;
    counters.spoolFailures++;
    this.#spoolRetryMs = clock.monotonicMs() + options.maxBackoffMs;
    this.#owner.onSpoolFailure(this, error);
  }

  async #loadRaw(batch: QueuedBatch): Promise<RawBatch | undefined> {
    const { spool } = this;
    const place = batch.waitingPlace;
    assert(spool !== undefined && place !== undefined, 'a batch that is not in memory is in the spool');
    return this.#load(batch, async () => {
      const raw = await readWaiting(spool, place, this.#series.length);
      const lost = batch.points - raw.points;
      if (lost > 0 && raw.points > 0 && !batch.gone) {
        this.#owner.counters.droppedPoints += lost;
        this.#owner.counters.reject(givenUp('series_lost', 'spool', 'a good record', lost));
        this.#queue.shrink(batch, lost);
      }
      if (raw.points > 0) this.#queue.change(batch, () => batch.holdRaw(raw));
      return raw.points > 0 ? raw : undefined;
    });
  }

  async #loadRequest(batch: QueuedBatch): Promise<SendRequest | undefined> {
    const { spool } = this;
    const place = batch.stampedPlace;
    assert(spool !== undefined && place !== undefined, 'a batch that is not in memory is in the spool');
    return this.#load(batch, async () => {
      const value = await readStamped(spool, place);
      if (!isDefined(value, this.#routesOf(value.mapEpoch).tables)) return undefined;
      const request: SendRequest = { message: { $case: 'batch', value } };
      this.#queue.change(batch, () => batch.holdRequest(request));
      return request;
    });
  }

  /** A batch that can't be read back is given up. */
  async #load<T>(batch: QueuedBatch, read: () => Promise<T | undefined>): Promise<T | undefined> {
    let loaded: T | undefined;
    try {
      loaded = await read();
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      this.#owner.onError(error);
    }
    if (batch.gone) return undefined;
    if (loaded === undefined) this.#giveUp(batch, 'spool_unreadable', 'spool', 'a good record');
    return loaded;
  }

  // The end of a batch

  #addStamped(batch: QueuedBatch): void {
    assert(batch.stamp !== undefined, 'a stamped batch has a stamp');
    this.#queue.addStamped(batch, batch.stamp.sequence);
    this.#routesOf(batch.stamp.epoch).unsettled++;
  }

  #forget(batch: QueuedBatch): void {
    this.#queue.remove(batch);
    this.spool?.settled(batch.number);
    if (batch.stamp !== undefined) {
      this.#routesOf(batch.stamp.epoch).unsettled--;
      this.#forgetOldRoutes();
    }
    this.#owner.onSettled(this);
  }

  #giveUp(batch: QueuedBatch, reason: string, field: string, limit: string): void {
    const { counters } = this.#owner;
    if (batch.sent) counters.indeterminatePoints += batch.points;
    else counters.droppedPoints += batch.points;
    counters.reject(givenUp(reason, field, limit, batch.points));
    this.#forget(batch);
  }

  #giveUpOld(): void {
    const { clock, options } = this.#owner;
    const beforeMs = clock.wallMs() - options.giveUpMs;
    for (const batch of this.#queue.stamped.values()) {
      if (batch.stamp === undefined || batch.stamp.stampedMs >= beforeMs) return;
      this.#giveUp(batch, 'unacknowledged', 'giveUpMs', `${options.giveUpMs} ms`);
    }
  }

  /** Lets go of what the disk has, then of the oldest batches that it has not. */
  #keepMemoryBound(): void {
    const { memoryBytes } = this.#owner.options;
    for (const onDisk of [true, false]) {
      if (this.memoryBytes <= memoryBytes) return;
      for (const batch of this.#queue.all.values()) {
        if (this.memoryBytes <= memoryBytes) return;
        if (batch.isOnDisk !== onDisk || batch.memoryBytes === 0) continue;
        if (onDisk) this.#queue.change(batch, () => batch.release());
        else this.#giveUp(batch, 'memory_bound', 'memoryBytes', `${memoryBytes} bytes`);
      }
    }
  }

  #routesOf(epoch: number): EpochRoutes {
    let routes = this.#routes.get(epoch);
    if (routes === undefined) {
      routes = new EpochRoutes(epoch, this.#series);
      this.#routes.set(epoch, routes);
    }
    return routes;
  }

  #forgetOldRoutes(): void {
    if (this.#map === undefined) return;
    for (const { epoch, unsettled } of this.#routes.values()) {
      if (unsettled === 0 && epoch < this.#map.epoch) this.#routes.delete(epoch);
    }
  }
}

function bySequence(a: QueuedBatch, b: QueuedBatch): number {
  return (a.stamp?.sequence ?? 0) - (b.stamp?.sequence ?? 0);
}
