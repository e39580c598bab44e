import { Worker } from 'node:worker_threads';
import { type HeldMemory, PositionsReply, type ThreadDelay } from '@tidemark/contract';
import type { SkipInfo } from '@tidemark/control-log';
import { compileCacheFolder, type LoopDelay, type MemoryUse, SystemClock, yieldTurn } from '@tidemark/node-runtime';
import {
  assert,
  ERROR_CODES,
  type ErrorDetail,
  isTidemarkError,
  restoredError,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import {
  callInSlices,
  definitionOf,
  type PartitionMethod,
  type ReplyOf,
  type RequestOf,
  reachOf,
  requestedPartition,
  type StoreKind,
} from '@tidemark/store-rpc';
import { ownBytes } from './own-bytes.ts';
import type {
  FromStore,
  RestoredSnapshot,
  RestoreOutcome,
  RestoreRequest,
  StoreCheckpoint,
  StoreProblem,
  StoreWorkerOptions,
  StoreWorkerStart,
  ToStore,
} from './store-messages.ts';

/** How the encoding of long requests and the decoding of long replies yield to other work of the thread of the callers. */
const SLICING = { clock: new SystemClock(), yieldTurn };

export interface StoreWorkersOptions extends StoreWorkerOptions {
  /** Threads that the owned partitions are spread over. */
  readonly threads: number;
  /** Called for each store before `ready` resolves, with the log that it read and the end of what it committed of it. */
  readonly onOpened?: (topic: Topic, partition: number, offset: number, logId: string | undefined) => void;
  /** Called when the log may be trimmed below `offset`: the database has what is below it in tables. */
  readonly onTrimmable: (topic: Topic, partition: number, offset: number) => void;
  /**
   * Called once for each partition, when its store has applied everything that the log held at a moment after the
   * start.
   */
  readonly onCaughtUp?: (topic: Topic, partition: number) => void;
  readonly onHalted: (topic: Topic, partition: number, offset: number, reason: string) => void;
  /** Called when a damaged database was moved to the folder `aside`, and its store is built again from the log. */
  readonly onRebuilding: (topic: Topic, partition: number, reason: string, aside: string) => void;
  /** Restores a database from a snapshot; required with `canRestore`. */
  readonly restore?: (request: RestoreRequest) => Promise<RestoreOutcome>;
  /** Called when an open database is damaged and nothing replaces it now, and without a text when it was replaced. */
  readonly onLoss?: (topic: Topic, partition: number, message: string | undefined) => void;
  /** Called when a store has its database from a snapshot, for `reason`. */
  readonly onRestored?: (topic: Topic, partition: number, snapshot: RestoredSnapshot, reason: string) => void;
  /** Called when a damaged write-ahead log was cut, so that the store reads the log again from `offset` on. */
  readonly onRereading: (topic: Topic, partition: number, offset: number, reason: string) => void;
  /** Called when a halted partition reads again. */
  readonly onResumed: (topic: Topic, partition: number) => void;
  /** Called when a store cannot read or commit (it retries), and with undefined when it works again. */
  readonly onProblem: (topic: Topic, partition: number, problem: StoreProblem | undefined) => void;
  /** Called when a read failed because of a bug; its caller got `internal`, and the store continues. */
  readonly onBug?: (read: string, stack: string) => void;
  /** Called when a thread died: the process must end. */
  readonly onFailed: (error: Error) => void;
}

interface Waiting {
  readonly resolve: (reply: Uint8Array | StoreCheckpoint) => void;
  readonly reject: (error: Error) => void;
}

interface StoreThread {
  readonly worker: Worker;
  readonly ready: Promise<void>;
  readonly stopped: Promise<void>;
  readonly waiting: Map<number, Waiting>;
  /** The thread has ended: it reads no more messages. */
  hasEnded: boolean;
  /** At most a second old; undefined until the thread has reported it. */
  delay: LoopDelay | undefined;
  memory: readonly MemoryUse[];
}

/** The stores of one process, with its partitions distributed over threads. */
export class StoreWorkers {
  readonly #threads: StoreThread[];
  readonly #byPartition = new Map<number, StoreThread>();
  readonly #options: StoreWorkersOptions;
  #nextCall = 0;

  constructor(options: StoreWorkersOptions) {
    this.#options = options;
    const { threads, folder, log, kinds, owned, limits, latenessMs, openFiles, hasSnapshots, canRestore } = options;
    const rest = { folder, log, kinds, limits, latenessMs, openFiles, hasSnapshots, canRestore };
    const count = Math.min(threads, owned.length);
    this.#threads = Array.from({ length: count }, (_, index) => {
      const own = owned.filter((_, place) => place % count === index);
      const thread = this.#start({ ...rest, owned: own });
      for (const partition of own) this.#byPartition.set(partition, thread);
      return thread;
    });
  }

  /** Resolves when every store is open. None reads before `start`. */
  async ready(): Promise<void> {
    await Promise.all(this.#threads.map(({ ready }) => ready));
  }

  /**
   * Lets the stores read the log; each thread begins when all its stores are open. A log that may have lost records must be
   * raised to what the stores have committed before: a store that is ahead of its log for some seconds halts permanently.
   */
  start(): void {
    for (const { worker } of this.#threads) worker.postMessage({ type: 'start' } satisfies ToStore);
  }

  /** Delays of the threads that have reported them. */
  get threads(): ThreadDelay[] {
    return this.#threads.flatMap(({ delay }, i) => (delay === undefined ? [] : [{ thread: `stores ${i}`, ...delay }]));
  }

  /** Memory of the threads that have reported it. */
  get memory(): HeldMemory[] {
    return this.#threads.flatMap(({ memory }, i) =>
      memory.length === 0 ? [] : [{ holder: `stores ${i}`, parts: [...memory] }],
    );
  }

  /** Forwards the progress that the log announces to the store's thread. */
  progress(topic: Topic, partition: number, next: number, first: number, segment: number, id: string): void {
    if (topic !== 'points' && topic !== 'tags') return;
    this.#of(partition).worker.postMessage({
      type: 'progress',
      topic,
      partition,
      next,
      first,
      segment,
      id,
    } satisfies ToStore);
  }

  /** Forwards an operator's skip to the store's thread; a skip in a partition of another process is ignored. */
  skip(skip: SkipInfo): void {
    const { topic, partition, offset, reason } = skip;
    const thread = this.#byPartition.get(partition);
    thread?.worker.postMessage({ type: 'skip', topic, partition, offset, reason } satisfies ToStore);
  }

  /**
   * Calls the store of the partition that the request names. When `signal` aborts, the call ends with its reason, or
   * `cancelled`, and the store's thread stops the work soon after.
   */
  async call<K extends StoreKind, M extends PartitionMethod<K>>(
    kind: K,
    method: M,
    request: RequestOf<K, M>,
    signal?: AbortSignal,
  ): Promise<ReplyOf<K, M>> {
    return (await this.callUntyped(kind, method, request, signal)) as ReplyOf<K, M>;
  }

  /** Calls a store without knowing the types of request and reply, for code that forwards every method. */
  async callUntyped(kind: StoreKind, method: string, request: unknown, signal?: AbortSignal): Promise<unknown> {
    return callInSlices(definitionOf(kind, method), request, SLICING, signal, (bytes) =>
      this.#call(kind, method, bytes, signal),
    );
  }

  /**
   * Answers a method in the bytes of the contract, which only the thread of the store decodes and encodes. The buffer
   * of `request` is transferred to that thread and can't be used afterwards.
   */
  async answer(kind: StoreKind, method: string, request: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    if (reachOf(kind, method) !== 'process') return this.#call(kind, method, request, signal);
    return PositionsReply.encode(await this.positions(kind, signal)).finish();
  }

  /** Returns the positions of all stores of one kind, by partition. */
  async positions(kind: StoreKind, signal?: AbortSignal): Promise<PositionsReply> {
    const replies = await Promise.all(
      this.#threads.map(async (thread) => {
        const reply = await this.#ask(thread, (id) => [{ type: 'positions', id, kind }, []], signal);
        return PositionsReply.decode(reply);
      }),
    );
    const positions = replies.flatMap((reply) => reply.positions).sort((a, b) => a.partition - b.partition);
    return { positions };
  }

  /**
   * Copies the database of a store into the new folder `to`, by links to its tables: no write waits for it. Errors:
   * `unavailable` while it has no database that is whole, or its log is not known; `data_loss` where it is damaged;
   * `failed_precondition` where `to` exists or the log is another one; those of the disk.
   */
  async checkpoint(kind: StoreKind, partition: number, to: string): Promise<StoreCheckpoint> {
    const call = (id: number) => [{ type: 'checkpoint', id, kind, partition, to }, []] as const;
    return this.#ask<StoreCheckpoint>(this.#of(partition), call);
  }

  /** Notes a snapshot of this checkpoint: the log may be trimmed below it, while the store has that database. */
  snapshotMade(kind: StoreKind, partition: number, { offset, instance }: StoreCheckpoint): void {
    this.#of(partition).worker.postMessage({ type: 'snapshot', kind, partition, offset, instance } satisfies ToStore);
  }

  /** Notes damage that was found in this checkpoint: the database is replaced where that is possible. */
  damageFound(kind: StoreKind, partition: number, { instance }: StoreCheckpoint, message: string): void {
    this.#of(partition).worker.postMessage({ type: 'damage', kind, partition, instance, message } satisfies ToStore);
  }

  /** Commits and closes every store. */
  async stop(): Promise<void> {
    for (const { worker } of this.#threads) worker.postMessage({ type: 'stop' } satisfies ToStore);
    await Promise.all(this.#threads.map(({ stopped }) => stopped));
  }

  #of(partition: number): StoreThread {
    const thread = this.#byPartition.get(partition);
    if (thread === undefined) throw new TidemarkError('not_found', `partition ${partition} belongs to another process`);
    return thread;
  }

  async #call(kind: StoreKind, method: string, bytes: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    const { partition } = requestedPartition(bytes);
    const thread = this.#of(partition);
    return this.#ask(
      thread,
      (id) => {
        const request = ownBytes(bytes);
        return [{ type: 'call', id, kind, method, partition, request }, [request.buffer]];
      },
      signal,
    );
  }

  /** Sends a message, whose type decides that of the reply. */
  async #ask<Reply extends Uint8Array | StoreCheckpoint = Uint8Array>(
    thread: StoreThread,
    messageOf: (id: number) => readonly [message: ToStore, transferred: readonly ArrayBuffer[]],
    signal?: AbortSignal,
  ): Promise<Reply> {
    if (signal?.aborted === true) throw cancelled(signal);
    if (thread.hasEnded) throw closed();
    const id = this.#nextCall++;
    const cancel = (): void => {
      if (signal === undefined) return;
      this.#settle(thread.waiting, id, ({ reject }) => reject(cancelled(signal)));
      thread.worker.postMessage({ type: 'cancel', id } satisfies ToStore);
    };
    const replied = new Promise<Reply>((resolve, reject) => {
      thread.waiting.set(id, { resolve: (reply) => resolve(reply as Reply), reject });
      const [message, transferred] = messageOf(id);
      thread.worker.postMessage(message, [...transferred]);
    });
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await replied;
    } finally {
      // A request that can't be built or posted gets no reply, which would remove the entry.
      thread.waiting.delete(id);
      signal?.removeEventListener('abort', cancel);
    }
  }

  #start(options: StoreWorkerOptions): StoreThread {
    const start: StoreWorkerStart = { options, compileCache: compileCacheFolder() };
    const worker = new Worker(new URL('./store-worker-main.ts', import.meta.url), { workerData: start });
    const waiting = new Map<number, Waiting>();
    let settleReady: () => void = () => undefined;
    let failReady: (error: Error) => void = () => undefined;
    let isReady = false;
    const ready = new Promise<void>((resolve, reject) => {
      settleReady = resolve;
      failReady = reject;
    });
    // A thread may fail before a caller awaits `ready`; later callers still get the error.
    ready.catch(() => undefined);
    const stopped = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        // Calls to a closed store get no reply any more.
        thread.hasEnded = true;
        for (const { reject } of waiting.values()) reject(closed());
        waiting.clear();
        resolve();
      });
    });
    worker.on('message', (message: FromStore) => {
      if (message.type === 'ready') {
        isReady = true;
        settleReady();
      } else if (message.type === 'thread') {
        thread.delay = message.delay;
        thread.memory = message.memory;
      }
      if (message.type === 'reply') this.#settle(waiting, message.id, ({ resolve }) => resolve(message.reply));
      else if (message.type === 'checkpointed') {
        this.#settle(waiting, message.id, ({ resolve }) => resolve(message.checkpoint));
      } else if (message.type === 'failed') {
        this.#settle(waiting, message.id, ({ reject }) => reject(restoredError(message.error)));
      } else if (message.type === 'loss') {
        this.#options.onLoss?.(message.topic, message.partition, message.message);
      } else if (message.type === 'bug') {
        this.#options.onBug?.(message.read, message.stack);
      } else if (message.type === 'caughtUp') {
        this.#options.onCaughtUp?.(message.topic, message.partition);
      } else if (message.type === 'opened') {
        this.#options.onOpened?.(message.topic, message.partition, message.offset, message.logId);
      } else if (message.type === 'trimmable') {
        this.#options.onTrimmable(message.topic, message.partition, message.offset);
      } else if (message.type === 'rereading') {
        this.#options.onRereading(message.topic, message.partition, message.offset, message.reason);
      } else if (message.type === 'rebuilding') {
        this.#options.onRebuilding(message.topic, message.partition, message.reason, message.aside);
      } else if (message.type === 'restore') {
        void this.#restore(worker, message.id, message.request);
      } else if (message.type === 'fromSnapshot') {
        this.#options.onRestored?.(message.topic, message.partition, message.snapshot, message.reason);
      } else if (message.type === 'halted') {
        this.#options.onHalted(message.topic, message.partition, message.offset, message.reason);
      } else if (message.type === 'resumed') {
        this.#options.onResumed(message.topic, message.partition);
      } else if (message.type === 'problem') {
        this.#options.onProblem(message.topic, message.partition, message.problem);
      }
    });
    worker.once('error', (error) => {
      const failure = threadError(error);
      // Before the thread is ready, callers of `ready` get the error; later `onFailed` does.
      failReady(failure);
      for (const { reject } of waiting.values()) reject(failure);
      waiting.clear();
      if (isReady) this.#options.onFailed(failure);
    });
    const thread: StoreThread = { worker, ready, stopped, waiting, hasEnded: false, delay: undefined, memory: [] };
    return thread;
  }

  async #restore(worker: Worker, id: number, request: RestoreRequest): Promise<void> {
    const { restore } = this.#options;
    assert(restore !== undefined, 'stores with snapshots can have them restored');
    const restored = await restore(request);
    worker.postMessage({ type: 'restored', id, restored } satisfies ToStore);
  }

  #settle(waiting: Map<number, Waiting>, id: number, settle: (waiting: Waiting) => void): void {
    const found = waiting.get(id);
    if (found === undefined) return;
    waiting.delete(id);
    settle(found);
  }
}

function closed(): TidemarkError {
  return new TidemarkError('unavailable', 'the stores are closed');
}

function cancelled({ reason }: AbortSignal): TidemarkError {
  return isTidemarkError(reason) ? reason : new TidemarkError('cancelled', 'the call was cancelled');
}

/** Restores the class of the error that a thread ended with. */
function threadError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = 'code' in error ? ERROR_CODES.find((known) => known === error.code) : undefined;
  if (code === undefined) return error;
  const detail = 'detail' in error && typeof error.detail === 'object' ? { ...(error.detail as ErrorDetail) } : {};
  return new TidemarkError(code, error.message, detail, { cause: error });
}
