import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { IdHash, SIP_KEY_BYTES, toHex } from '@tidemark/bytes';
import { PositionsReply } from '@tidemark/contract';
import { type ConsumedState, LogConsumer, LogMemory } from '@tidemark/log-consumer';
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
  type Topic,
} from '@tidemark/ports';
import { openRocksDb, type RocksDbKeyValue } from '@tidemark/rocksdb';
import { requestedPartition, type StoreKind } from '@tidemark/store-rpc';
import {
  type DatabasePlace,
  damagedStore,
  damageText,
  hasWholeLog,
  isTrimmedLog,
  missingText,
  moveAside,
  rebuildingText,
  replacedStore,
  replacementText,
  unopenedText,
} from './damaged-database.ts';
import { checkIdentity } from './database-identity.ts';
import { LogSegments } from './log-segments.ts';
import { ownBytes } from './own-bytes.ts';
import { RequestTurns } from './request-turns.ts';
import { SnapshotRequests } from './snapshot-requests.ts';
import { STORE_KINDS, type StorePartition } from './store-kinds.ts';
import { openStoreLog, type StoreLogReader } from './store-log.ts';
import type {
  CheckpointCall,
  FromStore,
  RestoredSnapshot,
  SnapshotNote,
  StoreCall,
  StoreCheckpoint,
  StoreWorkerOptions,
  ToStore,
} from './store-messages.ts';
import { SnapshotTrimPoint, TableTrimPoint, type TrimmableLog, type TrimPoint } from './trim-point.ts';

/** Write buffer of RocksDB: a commit is about a MiB for 25,000 series, and each store has up to two buffers. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;
const THREAD_REPORT_MS = 1000;
/** Of the random name of each opening of a database. */
const INSTANCE_BYTES = 12;
/** Over a log whose segments are not known here, a database makes tables of its commits so often. */
const FLUSH_STEP_MS = 60_000;
/** Errors of an open that are about one database, and no damage. */
const UNOPENED: readonly ErrorCode[] = ['permission_denied', 'unavailable'];

interface ConsumedStore {
  readonly topic: Topic;
  readonly store: Omit<StorePartition, 'state'>;
  readonly consumer: Pick<LogConsumer, 'position'> & Partial<Pick<LogConsumer, 'start' | 'stop' | 'halt'>>;
  /** Absent for a store without one. */
  readonly database?: RocksDbKeyValue;
  /** Random name of this opening of `database`, hex. */
  readonly instance?: string;
  /** Where snapshots are made of `database`. */
  readonly snapshotPoint?: SnapshotTrimPoint | undefined;
  /** True while the store has less than its damaged predecessor had. */
  isRebuilding: boolean;
}

/** What a consumer reads into. */
interface Consumed {
  readonly state: ConsumedState;
  readonly memory: LogMemory | undefined;
  readonly trimPoint: TrimPoint;
  /** Damage of the write-ahead log that the open of the database found. */
  readonly damage: string | undefined;
}

/** What a damaged database is replaced by. */
type Replacement =
  | { readonly from: 'log' }
  | { readonly from: 'snapshot'; readonly snapshot: RestoredSnapshot }
  /** `why` no snapshot; undefined where none are made. */
  | { readonly from: 'nothing'; readonly why: string | undefined };

/** The consumer of a store that reads nothing. */
const NO_CONSUMER = {
  position: { logNext: 0, logId: undefined, halted: '', haltedOffset: -1, problem: '' },
} as const;

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
  /** Replacements of damaged databases in progress, by kind and partition. */
  readonly #replacing = new Map<string, Promise<void>>();
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
    const send = (message: FromStore): void => this.#send(message);
    this.#snapshots = new SnapshotRequests({ disk: this.#disk, log, clock, send });
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
   * record.
   */
  async #openStore(kind: StoreKind, partition: number): Promise<ConsumedStore> {
    const place = this.#placeOf(kind, partition);
    try {
      const missing = await this.#restoreMissing(place);
      if (missing !== undefined) return this.#halted(kind, partition, missing);
      return await this.#openDatabase(kind, partition);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      if (UNOPENED.includes(error.code)) return this.#halted(kind, partition, unopenedText(place, error));
      if (error.code !== 'data_loss') throw error;
      const replacement = await this.#replacementOf(place);
      if (replacement.from !== 'nothing') return this.#openAgain(kind, partition, error, replacement);
      return this.#halted(kind, partition, damageText(place, error, replacement.why));
    }
  }

  /**
   * Restores a database that is gone, where the log alone would not make a whole one. Returns why that was not possible,
   * undefined where there is nothing to restore.
   */
  async #restoreMissing(place: DatabasePlace): Promise<string | undefined> {
    const { kind, partition, topic } = place;
    if (!this.#options.hasSnapshots) return undefined;
    if ((await this.#disk.list(`${kind}/${partition}`)).length > 0) return undefined;
    if (!(await isTrimmedLog(this.#log, this.#clock, place))) return undefined;
    const outcome = await this.#snapshots.restore(place);
    if (outcome.state === 'none') {
      // A new database then halts where the log begins, and says that records are missing.
      this.#send({ type: 'noSnapshot', topic, partition, found: outcome.found });
      return undefined;
    }
    if (outcome.state === 'failed') return missingText(place, outcome.error);
    await this.#snapshots.putInPlace(place);
    this.#send({ type: 'fromSnapshot', topic, partition, snapshot: outcome.snapshot, reason: 'it was gone' });
    return undefined;
  }

  /** What a damaged database can be replaced by. A snapshot is then in a folder next to it. */
  async #replacementOf(place: DatabasePlace): Promise<Replacement> {
    if (await hasWholeLog(this.#log, this.#clock, place)) return { from: 'log' };
    if (!this.#options.hasSnapshots) return { from: 'nothing', why: undefined };
    const outcome = await this.#snapshots.restore(place);
    if (outcome.state === 'restored') return { from: 'snapshot', snapshot: outcome.snapshot };
    return { from: 'nothing', why: outcome.state === 'none' ? outcome.found : outcome.error.message };
  }

  #placeOf(kind: StoreKind, partition: number): DatabasePlace {
    const folder = join(this.#options.folder, kind, String(partition));
    return { kind, partition, topic: STORE_KINDS[kind].topic, folder };
  }

  /** Reports that a partition has no database, and returns the store that says why. */
  #halted(kind: StoreKind, partition: number, reason: string): ConsumedStore {
    const { topic } = STORE_KINDS[kind];
    this.#send({ type: 'halted', topic, partition, offset: -1, reason });
    return { topic, store: damagedStore(kind, partition, reason), consumer: NO_CONSUMER, isRebuilding: false };
  }

  /**
   * Closes `damaged`, if that store was open, moves its database aside, and opens an empty one, or that of a snapshot. Where
   * that fails, as on a full disk, the partition is halted until the next start.
   */
  async #openAgain(
    kind: StoreKind,
    partition: number,
    damage: TidemarkError,
    replacement: Exclude<Replacement, { from: 'nothing' }>,
    damaged?: ConsumedStore,
  ): Promise<ConsumedStore> {
    const place = this.#placeOf(kind, partition);
    const { topic } = place;
    try {
      if (damaged !== undefined) await this.#stopStore(partition, damaged);
      damaged?.store.close?.();
      await damaged?.database?.close();
      // A trim below a commit from before the damage may have ended meanwhile.
      if (replacement.from === 'log' && !(await hasWholeLog(this.#log, this.#clock, place))) {
        return this.#halted(kind, partition, damageText(place, damage, undefined));
      }
      const aside = await moveAside(this.#disk, this.#clock, `${kind}/${partition}`);
      const reason = `${damage.message}; the damaged database is in ${aside}`;
      if (replacement.from === 'log') {
        this.#send({ type: 'rebuilding', topic, partition, reason: damage.message, aside });
      } else {
        await this.#snapshots.putInPlace(place);
        this.#send({ type: 'fromSnapshot', topic, partition, snapshot: replacement.snapshot, reason });
      }
      const opened = await this.#openDatabase(kind, partition);
      // A snapshot says through which time it is complete; a new database does not know what it lacks.
      opened.isRebuilding = replacement.from === 'log';
      return opened;
    } catch (error) {
      const { message } = this.#carriedError(`${kind}.replacement`, error);
      return this.#halted(kind, partition, replacementText(kind, partition, damage, message));
    }
  }

  /**
   * Deals with damage that a read or a commit of an open database found. Where the log has every record, or those after a
   * snapshot, the database is replaced; otherwise it stays, since the rest of it can be read, and the damage is a problem of the store.
   */
  #onDamage(kind: StoreKind, partition: number, error: TidemarkError): void {
    const key = `${kind}/${partition}`;
    if (this.#stores.get(kind)?.get(partition)?.database === undefined || this.#replacing.has(key)) return;
    const replaced = this.#replace(kind, partition, error)
      // A bug there leaves the store as it is: an unhandled rejection would end the thread, and with it all its stores.
      .catch((bug: unknown) => void this.#carriedError(`${kind}.replacement`, bug))
      .finally(() => this.#replacing.delete(key));
    this.#replacing.set(key, replaced);
  }

  async #replace(kind: StoreKind, partition: number, error: TidemarkError): Promise<void> {
    const { topic } = STORE_KINDS[kind];
    const stores = this.#stores.get(kind);
    const damaged = stores?.get(partition);
    if (stores === undefined || damaged === undefined || this.#stopping.signal.aborted) return;
    const place = this.#placeOf(kind, partition);
    const replacement = await this.#replacementOf(place);
    if (replacement.from === 'nothing') {
      const message = damageText(place, error, replacement.why);
      this.#send({ type: 'problem', topic, partition, problem: { code: 'data_loss', message, during: 'read' } });
      return;
    }
    stores.set(partition, {
      ...{ topic, store: replacedStore(kind, partition), consumer: NO_CONSUMER, isRebuilding: true },
    });
    const opened = await this.#openAgain(kind, partition, error, replacement, damaged);
    stores.set(partition, opened);
    this.#send({ type: 'problem', topic, partition, problem: undefined });
    if (this.#hasStarted) opened.consumer.start?.();
  }

  async #openDatabase(kind: StoreKind, partition: number): Promise<ConsumedStore> {
    const { folder } = this.#placeOf(kind, partition);
    const keyValue = await openRocksDb(folder, {
      writeBufferBytes: WRITE_BUFFER_BYTES,
      maxOpenFiles: this.#options.openFiles,
    });
    try {
      await checkIdentity(keyValue, kind, partition, folder);
      return await this.#openState(kind, partition, keyValue);
    } catch (error) {
      await keyValue.close();
      throw error;
    }
  }

  async #openState(kind: StoreKind, partition: number, keyValue: RocksDbKeyValue): Promise<ConsumedStore> {
    const { topic, open } = STORE_KINDS[kind];
    const instance = new SystemRandom().bytes(INSTANCE_BYTES);
    const store = await open({
      partition,
      keyValue,
      slicing: { clock: this.#clock, yieldTurn },
      options: this.#options,
      idHash: this.#idHash,
      pageCodec: this.#pageCodec,
      instance,
    });
    // Over Kafka the file LOG-ID of the folder has the id of the topic.
    const memory = this.#options.log.kind === 'embedded' ? await LogMemory.load(keyValue) : undefined;
    const { committedOffset } = store.state;
    const unknown = this.#options.log.kind === 'embedded' ? undefined : this.#oncePerStep();
    const log = (): TrimmableLog | undefined => unknown ?? this.#segments.get(`${topic}/${partition}`);
    const snapshotPoint = this.#options.hasSnapshots ? new SnapshotTrimPoint(log) : undefined;
    const trimPoint = snapshotPoint ?? new TableTrimPoint(committedOffset, () => keyValue.flush(), log);
    const damage = walDamageText(keyValue);
    const consumer = this.#consume(kind, partition, { state: store.state, memory, trimPoint, damage });
    this.#send({ type: 'opened', topic, partition, offset: committedOffset, logId: memory?.id });
    if (snapshotPoint === undefined) this.#send({ type: 'trimmable', topic, partition, offset: committedOffset });
    if (damage !== undefined) {
      this.#send({ type: 'rereading', topic, partition, offset: committedOffset, reason: damage });
    }
    return {
      ...{ topic, store, consumer: withTrimOffset(consumer, trimPoint), database: keyValue },
      ...{ instance: toHex(instance), snapshotPoint },
      isRebuilding: false,
    };
  }

  /** For a log whose segments are not known. Its trimmer asks for positions, so no trim is repeated here. */
  #oncePerStep(): TrimmableLog {
    let flushedMs = Number.NEGATIVE_INFINITY;
    const canTrimMore = (): boolean => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - flushedMs < FLUSH_STEP_MS) return false;
      flushedMs = nowMs;
      return true;
    };
    return { canTrim: () => false, canTrimMore };
  }

  #consume(kind: StoreKind, partition: number, { state, memory, trimPoint, damage }: Consumed): LogConsumer {
    const { topic, folder } = this.#placeOf(kind, partition);
    const announced: ConsumedState = {
      get nextOffset() {
        return state.nextOffset;
      },
      get committedOffset() {
        return state.committedOffset;
      },
      get wantsCommit() {
        return state.wantsCommit;
      },
      apply: (record) => state.apply(record),
      skip: (reason, lost) => state.skip(reason, lost),
      stop: async () => state.stop?.(),
      commit: async () => {
        await state.commit();
        const isTrimDue = await trimPoint.committed(state.committedOffset);
        // The log is trimmed below what is announced, and must stay whole for the database that replaces this one. Where it
        // is not replaced, the next commit announces this one too.
        if (!isTrimDue || this.#replacing.has(`${kind}/${partition}`)) return;
        this.#send({ type: 'trimmable', topic, partition, offset: trimPoint.offset });
      },
    };
    const consumer = new LogConsumer({
      log: this.#log,
      topic,
      partition,
      state: announced,
      clock: this.#clock,
      yieldTurn,
      ...(memory && { memory }),
      database: { name: `${kind}/${partition}`, folder, damage },
      skipReason: (offset) => this.#skips.get(`${topic}/${partition}/${offset}`),
      onHalt: (halt) => {
        if (halt === undefined) this.#send({ type: 'resumed', topic, partition });
        else this.#send({ type: 'halted', topic, partition, offset: halt.offset, reason: halt.error.message });
      },
      onCaughtUp: () => {
        const caughtUp = this.#stores.get(kind)?.get(partition);
        if (caughtUp !== undefined) caughtUp.isRebuilding = false;
        this.#send({ type: 'caughtUp', topic, partition });
      },
      onProblem: (found) => {
        const problem = found && { code: found.error.code, message: found.error.message, during: found.during };
        this.#send({ type: 'problem', topic, partition, problem });
        if (isTidemarkError(found?.error, 'data_loss')) this.#onDamage(kind, partition, found.error);
      },
    });
    return consumer;
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
    const store = this.#stores.get(kind)?.get(partition);
    if (store?.snapshotPoint === undefined || store.instance !== instance) return;
    // What replaces the database needs the log from an earlier offset on.
    if (this.#replacing.has(`${kind}/${partition}`)) return;
    store.snapshotPoint.made(offset);
    this.#send({ type: 'trimmable', topic: store.topic, partition, offset: store.snapshotPoint.offset });
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
    const found = this.#stores.get(kind)?.get(partition);
    const { database, instance } = found ?? {};
    if (found === undefined || database === undefined || instance === undefined) {
      throw new TidemarkError('unavailable', `${kind}/${partition} has no database that can be copied`, { partition });
    }
    if (found.isRebuilding) throw new TidemarkError('unavailable', rebuildingText(kind, partition), { partition });
    // Read before the copy, which may have what is committed while it is made.
    const { committedOffset, logId, watermarkMs } = found.store.position(found.consumer);
    const files = await database.checkpoint(to);
    return { files, instance, format: STORE_KINDS[kind].format, logId, watermarkMs, offset: committedOffset };
  }

  #startConsumers(): void {
    this.#hasStarted = true;
    for (const stores of this.#stores.values()) for (const { consumer } of stores.values()) consumer.start?.();
  }

  async #answer({ kind, method, partition, request }: StoreCall, signal: AbortSignal): Promise<Uint8Array> {
    const found = this.#stores.get(kind)?.get(partition);
    if (found === undefined) throw new TidemarkError('not_found', `${kind}/${partition} belongs to another thread`);
    if (found.isRebuilding && method !== 'status') {
      throw new TidemarkError('unavailable', rebuildingText(kind, partition), { partition });
    }
    const { halt } = found.consumer;
    if (halt?.cause === 'trimmed' && method !== 'status') {
      // What it has is not known to be what it had: an answer would be that of a store without damage.
      throw new TidemarkError('data_loss', halt.error.message, { partition });
    }
    try {
      return await found.store.answer(method, request, found.consumer, signal);
    } catch (error) {
      if (isTidemarkError(error, 'data_loss')) this.#onDamage(kind, partition, error);
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
    await Promise.all(this.#replacing.values());
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

function walDamageText({ walDamage }: RocksDbKeyValue): string | undefined {
  return walDamage && `its file ${walDamage.file} can't be read from offset ${walDamage.offset} on: ${walDamage.what}`;
}

/** A consumer whose position says also how far the log may be trimmed. */
function withTrimOffset(consumer: LogConsumer, trimPoint: TrimPoint): ConsumedStore['consumer'] {
  return {
    get position() {
      return { ...consumer.position, trimOffset: trimPoint.offset };
    },
    get halt() {
      return consumer.halt;
    },
    start: () => consumer.start(),
    stop: () => consumer.stop(),
  };
}
