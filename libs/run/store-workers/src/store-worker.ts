import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { IdHash, SIP_KEY_BYTES } from '@tidemark/bytes';
import { PositionsReply } from '@tidemark/contract';
import { LocalDisk, LoopMonitor, SystemClock, SystemRandom, threadMemory, yieldTurn } from '@tidemark/node-runtime';
import { PageCodec } from '@tidemark/point-store';
import {
  type CarriedError,
  type Clock,
  carriedError,
  type Disk,
  type ErrorCode,
  isTidemarkError,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import type { RocksDbKeyValue } from '@tidemark/rocksdb';
import { requestedPartition, type StoreKind } from '@tidemark/store-rpc';
import {
  type ConsumedStore,
  NO_CONSUMER,
  openConsumedStore,
  openStore,
  type SharedContext,
  type StoreContext,
} from './consumed-store.ts';
import {
  type DatabaseId,
  type DatabasePlace,
  damagedStore,
  databaseName,
  type Loss,
  logState,
  lossText,
  moveAside,
  rebuildingText,
  replacedStore,
  replacementText,
  restoringText,
  silentText,
  unopenedText,
} from './damaged-database.ts';
import { LogSegments } from './log-segments.ts';
import { LostDatabases, type Replacement, type Unreplaced } from './lost-databases.ts';
import { CHECK_OPEN_FILES, openDatabase } from './open-database.ts';
import { ownBytes } from './own-bytes.ts';
import { RequestTurns } from './request-turns.ts';
import { SnapshotRequests } from './snapshot-requests.ts';
import { STORE_KINDS } from './store-kinds.ts';
import { openStoreLog, type StoreLogReader } from './store-log.ts';
import {
  type CheckpointCall,
  type DamageNote,
  type FromStore,
  NOT_COPIED,
  type SnapshotNote,
  type StoreCall,
  type StoreCheckpoint,
  type StoreWorkerOptions,
  type ToStore,
} from './store-messages.ts';

const THREAD_REPORT_MS = 1000;
/** How long the other stores of the thread wait at their open for the log of a damaged one. */
const OPEN_WAIT_MS = 5000;
/** Errors of an open that are about one database, and no damage. */
const UNOPENED: readonly ErrorCode[] = ['permission_denied', 'unavailable'];

/**
 * The stores of one thread: for each of its partitions a point store, a tag store or an aggregator, or several of them.
 * From the message `start` on each reads its topic of the log and answers calls in between. Tested by `store-workers.test.ts`.
 */
export class StoreWorker {
  readonly #port: MessagePort;
  readonly #options: StoreWorkerOptions;
  readonly #log: StoreLogReader;
  readonly #clock: Clock;
  /** One for all tables of the thread, and one for all points: each has memories of WebAssembly. */
  readonly #idHash = new IdHash(new SystemRandom().bytes(SIP_KEY_BYTES));
  readonly #pageCodec = new PageCodec();
  readonly #skips = new Map<string, string>();
  /** Of the embedded log, by topic and partition. */
  readonly #segments = new Map<string, LogSegments>();
  readonly #stores = new Map<StoreKind, Map<number, ConsumedStore>>();
  readonly #lost: LostDatabases;
  /** What is known of trimmed halts, in addition to what the consumer says, by the name of the database. */
  readonly #lossTexts = new Map<string, Unreplaced>();
  /** Databases that could not be opened, and that a snapshot may replace when all others are open. */
  readonly #unopened: { readonly place: DatabasePlace; readonly loss: Loss }[] = [];
  /** Calls that arrived before the stores were open. */
  readonly #early: ToStore[] = [];
  /** Calls that are being answered, by their id. */
  readonly #running = new Map<number, AbortController>();
  readonly #turns = new RequestTurns(yieldTurn);
  readonly #loop: LoopMonitor;
  readonly #stopping = new AbortController();
  readonly #disk: Disk;
  readonly #snapshots: SnapshotRequests;
  #isOpen = false;
  #hasStarted = false;

  private constructor(port: MessagePort, options: StoreWorkerOptions, log: StoreLogReader, clock: Clock) {
    this.#port = port;
    this.#options = options;
    this.#log = log;
    this.#clock = clock;
    this.#loop = new LoopMonitor(clock);
    this.#disk = new LocalDisk(options.folder);
    const ports = { log, clock, stopping: this.#stopping.signal };
    this.#snapshots = new SnapshotRequests({
      ...{ ...ports, disk: this.#disk },
      check: (place, folder) => this.#checkDatabase(place, folder),
      send: (message) => this.#send(message),
    });
    this.#lost = new LostDatabases({
      ...ports,
      snapshots: options.canRestore ? this.#snapshots : undefined,
      isLost: (place, loss) => this.#isLost(place, loss),
      replace: (place, loss, by) => this.#replace(place, loss, by),
      report: (place, loss, found) => this.#reportLoss(place, loss, found),
      onBug: ({ kind }, error) => void this.#carriedError(`${kind}.replacement`, error),
    });
  }

  /** Opens the log and every store, and handles the messages of `port` until a `stop`. */
  static async start(port: MessagePort, options: StoreWorkerOptions): Promise<void> {
    const clock = new SystemClock();
    const worker = new StoreWorker(port, options, await openStoreLog(options.log, clock), clock);
    port.on('message', (message: ToStore) => worker.#receive(message));
    await worker.#open();
  }

  async #open(): Promise<void> {
    for (const kind of this.#options.kinds) this.#stores.set(kind, new Map());
    for (const partition of this.#options.owned) {
      for (const [kind, stores] of this.#stores) stores.set(partition, await this.#openStore(kind, partition));
    }
    this.#isOpen = true;
    this.#send({ type: 'ready' });
    for (const { place, loss } of this.#unopened.splice(0)) this.#lost.begin(place, loss);
    this.#loop.start();
    void this.#reportThread();
    for (const message of this.#early.splice(0)) void this.#serve(message);
  }

  async #reportThread(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(this.#clock, THREAD_REPORT_MS, signal);
      const freeHeadBytes = this.#pageCodec.freeHeadBytes;
      const memory = [
        ...threadMemory(freeHeadBytes),
        { part: 'free_head', bytes: freeHeadBytes },
        { part: 'databases', bytes: await this.#databaseBytes() },
      ];
      if (!signal.aborted) this.#send({ type: 'thread', delay: this.#loop.delay, memory });
    }
  }

  async #databaseBytes(): Promise<number> {
    const databases = [...this.#stores.values()].flatMap((stores) => [...stores.values()].map((one) => one.database));
    // One that is being closed or replaced counts as none.
    const sizes = await Promise.all(databases.map((one) => one?.memoryBytes().catch(() => 0) ?? 0));
    return sizes.reduce((bytes, size) => bytes + size, 0);
  }

  /**
   * Opens a store. A damaged database stops this partition alone: it is built again from the log where that still has every
   * record, or else restored from a snapshot when all stores are open.
   */
  async #openStore(kind: StoreKind, partition: number): Promise<ConsumedStore> {
    const place = this.#placeOf(kind, partition);
    try {
      const opened = await this.#openDatabase(place);
      // What a restore has left takes space and does no harm: the next open tries again.
      if (this.#options.canRestore) await this.#snapshots.clean(place).catch(() => undefined);
      return opened;
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      if (UNOPENED.includes(error.code)) return this.#halted(place, unopenedText(place, error));
      if (error.code !== 'data_loss') throw error;
      const loss = { error, isTrimmed: false };
      const state = await logState(this.#log, this.#clock, place, { waitMs: OPEN_WAIT_MS });
      if (state === 'whole') {
        const opened = await this.#openAgain(place, loss, { from: 'log' });
        if (opened !== undefined) return opened;
      }
      if (state === 'cut' && !this.#options.canRestore) return this.#halted(place, lossText(place, loss, undefined));
      this.#unopened.push({ place, loss });
      return this.#halted(place, state === 'cut' ? restoringText(place, loss) : silentText(place, loss));
    }
  }

  #storeOf({ kind, partition }: DatabaseId): ConsumedStore | undefined {
    return this.#stores.get(kind)?.get(partition);
  }

  #placeOf(kind: StoreKind, partition: number): DatabasePlace {
    const folder = join(this.#options.folder, kind, String(partition));
    return { kind, partition, topic: STORE_KINDS[kind].topic, folder };
  }

  /** Reports that a partition has no database, and returns the store that says why. */
  #halted({ kind, partition, topic }: DatabasePlace, reason: string): ConsumedStore {
    this.#send({ type: 'halted', topic, partition, offset: -1, reason });
    return { topic, store: damagedStore(kind, partition, reason), consumer: NO_CONSUMER, isRebuilding: false };
  }

  /**
   * Closes `lost`, if that store was open, moves its database aside, and opens an empty one, or that of a snapshot. Where
   * that fails, as on a full disk, the partition is halted until the next start. Returns undefined, and moves nothing, where the
   * log no longer continues the new database: a trim below a commit from before the damage may have ended meanwhile.
   */
  async #openAgain(
    place: DatabasePlace,
    loss: Loss,
    by: Replacement,
    lost?: ConsumedStore,
  ): Promise<ConsumedStore | undefined> {
    const { kind, partition, topic } = place;
    try {
      if (lost !== undefined) await this.#stopStore(partition, lost);
      const isNew = lost?.database !== undefined && lost.store.position(lost.consumer).committedOffset === 0;
      const isEmpty = loss.isTrimmed && isNew && lost.database?.walDamage === undefined;
      lost?.store.close?.();
      await lost?.database?.close();
      if (!(await this.#isContinued(place, by))) return undefined;
      if (by.from === 'log') {
        const aside = await moveAside(this.#disk, this.#clock, databaseName(place));
        this.#send({ type: 'rebuilding', topic, partition, reason: loss.error.message, aside });
        const opened = await this.#openDatabase(place);
        // Unlike one of a snapshot, it does not know what it lacks.
        opened.isRebuilding = true;
        return opened;
      }
      const reason = await this.#makeRoom(place, loss, isEmpty);
      await this.#snapshots.putInPlace(place, by.snapshot);
      const opened = await this.#openDatabase(place);
      this.#send({ type: 'fromSnapshot', topic, partition, snapshot: by.snapshot, reason });
      return opened;
    } catch (error) {
      const { message } = this.#carriedError(`${kind}.replacement`, error);
      return this.#halted(place, replacementText(place, loss, message));
    }
  }

  /** Whether the log continues a replacement. A log that does not answer is asked again by the next attempt. */
  async #isContinued(place: DatabasePlace, by: Replacement): Promise<boolean> {
    if (by.from === 'snapshot') return this.#snapshots.continues(place, by.snapshot).catch(() => false);
    const stopping = this.#stopping.signal;
    return (await logState(this.#log, this.#clock, place, { stopping })) === 'whole';
  }

  /** Makes room for a restored database. Returns why it is restored, and where the one before it is. */
  async #makeRoom(place: DatabasePlace, { error, isTrimmed }: Loss, isEmpty: boolean): Promise<string> {
    const folder = databaseName(place);
    if (isEmpty) {
      await this.#disk.remove(folder);
      return 'it was gone';
    }
    const aside = await moveAside(this.#disk, this.#clock, folder);
    const { offset, first } = error.detail;
    const reason = isTrimmed ? `it ended at offset ${offset}, and the log begins at ${first}` : error.message;
    return `${reason}; the database of before is in ${aside}`;
  }

  /** Notes damage that a read or a commit of an open database found, and has the database replaced where that is possible. */
  #onDamage(place: DatabasePlace, error: TidemarkError): void {
    const found = this.#storeOf(place);
    if (found?.database === undefined) return;
    found.damage ??= error;
    this.#lost.begin(place, { error, isTrimmed: false });
  }

  /** A store whose log begins above the end of its database: a snapshot may have what is between. */
  #onTrimmed(place: DatabasePlace, error: TidemarkError): void {
    const loss = { error, isTrimmed: true };
    if (this.#options.canRestore) this.#lost.begin(place, loss);
    const isTemporary = this.#lost.isReplacing(place);
    const found = { isTemporary, message: isTemporary ? restoringText(place, loss) : error.message };
    this.#reportTrimmed(place, loss, this.#lost.unreplaced(place) ?? found);
  }

  #reportTrimmed(place: DatabasePlace, { error }: Loss, found: Unreplaced): void {
    const { partition, topic } = place;
    this.#lossTexts.set(databaseName(place), found);
    this.#send({ type: 'halted', topic, partition, offset: Number(error.detail.offset), reason: found.message });
  }

  #isLost(place: DatabasePlace, { isTrimmed }: Loss): boolean {
    const found = this.#storeOf(place);
    if (found === undefined) return false;
    return found.database === undefined || !isTrimmed || found.consumer.halt?.cause === 'trimmed';
  }

  /** The database stays, since the rest of it can be read; a store without one says why. */
  #reportLoss(place: DatabasePlace, loss: Loss, found: Unreplaced): void {
    const { kind, partition, topic } = place;
    const stores = this.#stores.get(kind);
    if (stores?.get(partition)?.database === undefined) {
      stores?.set(partition, this.#halted(place, found.message));
    } else if (loss.isTrimmed) this.#reportTrimmed(place, loss, found);
    else this.#send({ type: 'loss', topic, partition, message: found.message });
  }

  /** Returns false where the log no longer continues the replacement. */
  async #replace(place: DatabasePlace, loss: Loss, by: Replacement): Promise<boolean> {
    const { kind, partition, topic } = place;
    const stores = this.#stores.get(kind);
    const lost = stores?.get(partition);
    if (stores === undefined || lost === undefined || this.#stopping.signal.aborted) return true;
    stores.set(partition, {
      ...{ topic, store: replacedStore(kind, partition), consumer: NO_CONSUMER, isRebuilding: true },
    });
    const opened = await this.#openAgain(place, loss, by, lost);
    if (opened === undefined) {
      stores.set(partition, this.#halted(place, restoringText(place, loss)));
      return false;
    }
    stores.set(partition, opened);
    this.#send({ type: 'problem', topic, partition, problem: undefined });
    this.#send({ type: 'loss', topic, partition, message: undefined });
    // The new consumer does not know of a halt of the old one, and reports no end of it.
    const wasHalted = lost.database === undefined || lost.consumer.halt !== undefined;
    if (wasHalted && opened.database !== undefined) this.#send({ type: 'resumed', topic, partition });
    if (this.#hasStarted) opened.consumer.start?.();
    return true;
  }

  async #openDatabase(place: DatabasePlace): Promise<ConsumedStore> {
    const keyValue = await openDatabase(place, place.folder, this.#options.openFiles);
    try {
      return await this.#openState(place, keyValue);
    } catch (error) {
      await keyValue.close();
      throw error;
    }
  }

  /** Opens and closes a database that is not at its place yet. */
  async #checkDatabase(place: DatabasePlace, folder: string): Promise<void> {
    const keyValue = await openDatabase(place, join(this.#options.folder, folder), CHECK_OPEN_FILES);
    try {
      (await openStore(place, keyValue, this.#shared)).close?.();
    } finally {
      await keyValue.close();
    }
  }

  get #shared(): SharedContext & Pick<StoreContext, 'options'> {
    return { clock: this.#clock, options: this.#options, idHash: this.#idHash, pageCodec: this.#pageCodec };
  }

  /** Opens the store of a database, with a consumer that has not started. */
  #openState(place: DatabasePlace, keyValue: RocksDbKeyValue): Promise<ConsumedStore> {
    const { partition, topic } = place;
    return openConsumedStore(place, keyValue, {
      ...this.#shared,
      log: this.#log,
      segments: () => this.#segments.get(`${topic}/${partition}`),
      skipReason: (offset) => this.#skips.get(`${topic}/${partition}/${offset}`),
      lossText: () => this.#lossTexts.get(databaseName(place))?.message,
      isReplacing: () => this.#lost.isReplacing(place),
      onTrimmed: (error) => this.#onTrimmed(place, error),
      onDamage: (error) => this.#onDamage(place, error),
      onCaughtUp: () => {
        const caughtUp = this.#storeOf(place);
        if (caughtUp !== undefined) caughtUp.isRebuilding = false;
      },
      send: (message) => this.#send(message),
    });
  }

  #receive(message: ToStore): void {
    if (message.type === 'progress') {
      const { topic, partition, next, first, segment, id } = message;
      this.#noteSegment(`${topic}/${partition}`, first, segment);
      this.#log.advance?.(topic, partition, next, first, segment, id);
    } else if (message.type === 'skip') {
      this.#skips.set(`${message.topic}/${message.partition}/${message.offset}`, message.reason);
    } else if (message.type === 'cancel') this.#cancel(message.id);
    else if (message.type === 'snapshot') this.#noteSnapshot(message);
    else if (message.type === 'damage') this.#noteDamage(message);
    else if (message.type === 'restored') this.#snapshots.settle(message.id, message.restored);
    else if (this.#isOpen) void this.#serve(message);
    else this.#early.push(message);
  }

  #noteSegment(part: string, first: number, segment: number): void {
    const segments = this.#segments.get(part) ?? new LogSegments();
    segments.note(first, segment);
    this.#segments.set(part, segments);
  }

  async #serve(message: ToStore): Promise<void> {
    if (message.type === 'stop') return this.#stop();
    if (message.type === 'start') return this.#startConsumers();
    if (message.type === 'checkpoint') return this.#serveCheckpoint(message);
    if (message.type !== 'call' && message.type !== 'positions') return;
    const { id } = message;
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const bytes =
        message.type === 'call' ? await this.#answerInTurn(message, abort.signal) : this.#positions(message.kind);
      const reply = ownBytes(bytes);
      this.#port.postMessage({ type: 'reply', id, reply } satisfies FromStore, [reply.buffer]);
    } catch (error) {
      const read = `${message.kind}.${message.type === 'call' ? message.method : 'positions'}`;
      this.#send({ type: 'failed', id, error: this.#carriedError(read, error) });
    } finally {
      this.#running.delete(id);
    }
  }

  #noteSnapshot({ kind, partition, offset, instance }: SnapshotNote): void {
    const store = this.#storeOf({ kind, partition });
    const point = store?.copied?.snapshotPoint;
    if (store === undefined || point === undefined || store.copied?.instance !== instance) return;
    // What replaces the database needs the log from an earlier offset on.
    if (store.damage !== undefined || this.#lost.isReplacing({ kind, partition })) return;
    point.made(offset);
    this.#send({ type: 'trimmable', topic: store.topic, partition, offset: point.offset });
  }

  #noteDamage({ kind, partition, instance, message }: DamageNote): void {
    if (this.#storeOf({ kind, partition })?.copied?.instance !== instance) return;
    this.#onDamage(this.#placeOf(kind, partition), new TidemarkError('data_loss', message, { partition }));
  }

  async #serveCheckpoint(call: CheckpointCall): Promise<void> {
    const { id, kind } = call;
    try {
      this.#send({ type: 'checkpointed', id, checkpoint: await this.#checkpoint(call) });
    } catch (error) {
      this.#send({ type: 'failed', id, error: this.#carriedError(`${kind}.checkpoint`, error) });
    }
  }

  async #checkpoint({ kind, partition, to }: CheckpointCall): Promise<StoreCheckpoint> {
    const found = this.#storeOf({ kind, partition });
    const name = databaseName({ kind, partition });
    if (found?.database === undefined || found.copied === undefined) {
      throw notCopied('unavailable', `${name} has no database that can be copied`, partition);
    }
    const { database, copied, damage, consumer } = found;
    if (found.isRebuilding) throw notCopied('unavailable', rebuildingText(kind, partition), partition);
    // It would take the place of a whole one.
    if (damage !== undefined) {
      this.#lost.begin(this.#placeOf(kind, partition), { error: damage, isTrimmed: false });
      throw notCopied('data_loss', `${name} is not copied, because it is damaged: ${damage.message}`, partition);
    }
    const { halt } = consumer;
    // It is not a state of the log that is there now.
    if (halt !== undefined && halt.cause !== 'record') {
      const text = `${name} is not copied while it is halted: ${halt.error.message}`;
      throw notCopied('failed_precondition', text, partition);
    }
    if (STORE_KINDS[kind].commitsForCopies) await consumer.caughtUp?.();
    // Read before the copy, which may have what is committed while it is made.
    const position = found.store.position(consumer);
    const { committedOffset: offset } = position;
    const { watermarkMs } = copied.committed;
    const logId = copied.memory?.id ?? position.logId;
    if (logId === undefined || logId === '') {
      throw notCopied('unavailable', `${name} is not copied before its log has answered`, partition);
    }
    const files = await database.checkpoint(to);
    // What was linked meanwhile may be of the database that took its place.
    if (this.#storeOf({ kind, partition }) !== found || found.damage !== undefined) {
      throw notCopied('unavailable', `${name} was found damaged while it was copied`, partition);
    }
    return {
      ...{ files, offset, watermarkMs, instance: copied.instance, format: STORE_KINDS[kind].format, logId },
      freesLog: copied.snapshotPoint?.frees(offset) ?? false,
    };
  }

  #startConsumers(): void {
    this.#hasStarted = true;
    for (const stores of this.#stores.values()) for (const { consumer } of stores.values()) consumer.start?.();
  }

  async #answer({ kind, method, partition, request }: StoreCall, signal: AbortSignal): Promise<Uint8Array> {
    const found = this.#storeOf({ kind, partition });
    if (found === undefined) throw new TidemarkError('not_found', `${kind}/${partition} belongs to another thread`);
    if (found.isRebuilding && method !== 'status') {
      throw new TidemarkError('unavailable', rebuildingText(kind, partition), { partition });
    }
    const { halt } = found.consumer;
    if (halt?.cause === 'trimmed' && method !== 'status') {
      const known = this.#lossTexts.get(databaseName({ kind, partition }));
      if (known?.isTemporary === true) throw new TidemarkError('unavailable', known.message, { partition });
      // What it has is not known to be what it had: an answer would be that of a store without damage.
      throw new TidemarkError('data_loss', halt.error.message, { partition });
    }
    try {
      return await found.store.answer(method, request, found.consumer, signal);
    } catch (error) {
      // A read that began before the database was replaced says nothing about the new one.
      const isNow = this.#storeOf({ kind, partition }) === found;
      if (isNow && isTidemarkError(error, 'data_loss')) this.#onDamage(this.#placeOf(kind, partition), error);
      throw error;
    }
  }

  /** Lets a request of a tenant wait for its turn. One that is cancelled meanwhile is not begun. */
  async #answerInTurn(call: StoreCall, signal: AbortSignal): Promise<Uint8Array> {
    const { tenant } = requestedPartition(call.request);
    if (tenant === undefined) return this.#answer(call, signal);
    return this.#turns.run(tenant, call.method, signal, () => this.#answer(call, signal));
  }

  #positions(kind: StoreKind): Uint8Array {
    const stores = [...(this.#stores.get(kind)?.values() ?? [])];
    const positions = stores.map(({ store, consumer }) => store.position(consumer));
    return PositionsReply.encode({ positions }).finish();
  }

  /** Converts an error for a message. A bug in a read fails that read only, because a read changes nothing. */
  #carriedError(read: string, error: unknown): CarriedError {
    if (isTidemarkError(error)) return carriedError(error);
    this.#send({ type: 'bug', read, stack: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    return { code: 'internal', message: `internal error in ${read}; see the store's log`, detail: {} };
  }

  #cancel(id: number): void {
    const waiting = this.#early.findIndex((message) => 'id' in message && message.id === id);
    if (waiting >= 0) this.#early.splice(waiting, 1);
    this.#running.get(id)?.abort(new TidemarkError('cancelled', 'the request was cancelled'));
  }

  /**
   * Stops the consumers, each with a last commit, so that the next start reads nothing again. A store that can't
   * commit (a full disk) does not keep the others from committing.
   */
  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#loop.stop();
    for (const abort of this.#running.values()) abort.abort();
    await this.#lost.ended();
    const stores = [...this.#stores.values()].flatMap((byPartition) => [...byPartition]);
    await Promise.all(stores.map(([partition, store]) => this.#stopStore(partition, store)));
    await Promise.all(stores.map(([, { database }]) => database?.close()));
    await this.#log.close();
    this.#port.close();
  }

  async #stopStore(partition: number, { topic, consumer }: ConsumedStore): Promise<void> {
    try {
      await consumer.stop?.();
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      const message = `the last commit failed: ${error.message}`;
      this.#send({ type: 'problem', topic, partition, problem: { code: error.code, message, during: 'commit' } });
    }
  }

  #send(message: FromStore): void {
    this.#port.postMessage(message);
  }
}

function notCopied(code: ErrorCode, message: string, partition: number): TidemarkError {
  return new TidemarkError(code, message, { partition, [NOT_COPIED]: true });
}
