import { Worker } from 'node:worker_threads';
import type { EncodedCopy } from '@tidemark/control-copy';
import { compileCacheFolder } from '@tidemark/node-runtime';
import {
  asTidemarkError,
  type Clock,
  carriedError,
  messageOf,
  restoredError,
  sleep,
  TidemarkError,
  type Timer,
} from '@tidemark/ports';
import type { TableDigest } from '@tidemark/snapshot';
import type { RestoreOutcome, RestoreRequest } from '@tidemark/store-workers';
import type {
  ArchivedFacts,
  ArchiveTask,
  ExpireTask,
  FromSnapshotThread,
  MadeSnapshot,
  SnapshotTask,
  SnapshotThreadStart,
  ToSnapshotThread,
} from './snapshot-messages.ts';

export interface MakeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

type Result = MadeSnapshot | RestoreOutcome | readonly number[] | undefined;

interface AskOptions extends MakeOptions {
  readonly onArchived?: ((archived: ArchivedFacts) => void) | undefined;
}

interface Waiting extends AskOptions {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

interface Running {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  readonly ended: Promise<void>;
}

/** How long a stop waits for a thread: it may wait for an object store that does not answer. */
const CLOSE_MS = 5000;
/** Without a task for so long, a thread ends. */
const IDLE_MS = 10_000;

/**
 * A thread that makes and restores snapshots, and archives days. It starts with a task, and ends a while after the last one, which gives back its memory:
 * that of a client of S3 is tens of megabytes.
 */
export class SnapshotThread {
  readonly #start: Pick<SnapshotThreadStart, 'place' | 'folder' | 'user'>;
  readonly #clock: Clock;
  #running: Running | undefined;
  /** Of threads that got a request to stop. */
  readonly #ending = new Set<Running>();
  #idle: Timer | undefined;
  #digests: readonly TableDigest[] = [];
  #isClosed = false;
  #nextId = 0;

  constructor(start: Pick<SnapshotThreadStart, 'place' | 'folder' | 'user'>, clock: Clock) {
    this.#start = start;
    this.#clock = clock;
  }

  /**
   * Makes a snapshot, and removes those beyond the retention. Errors: those of `createSnapshot` and of opening the object store;
   * the reason of the signal.
   */
  make(task: SnapshotTask, options: MakeOptions): Promise<MadeSnapshot> {
    return this.#ask<MadeSnapshot>((id) => ({ type: 'make', id, task }), options);
  }

  /** Restores the newest snapshot that the log continues; see `restoreNewest`. A failure is an outcome, too. */
  async restore(request: RestoreRequest): Promise<RestoreOutcome> {
    try {
      return await this.#ask<RestoreOutcome>((id) => ({ type: 'restore', id, request }), {});
    } catch (error) {
      return { state: 'failed', error: carriedError(asTidemarkError(error)) };
    }
  }

  /** Puts a copy of `control`. Errors: those of opening the object store and of a put; the reason of the signal. */
  async putControl(copy: EncodedCopy, signal: AbortSignal): Promise<void> {
    await this.#ask<undefined>((id) => ({ type: 'control', id, copy }), { signal });
  }

  /** Archives days, and reports each that was not in the object store. Errors: those of `archiveCopy`. */
  async archive(task: ArchiveTask, signal: AbortSignal, onArchived: (archived: ArchivedFacts) => void): Promise<void> {
    await this.#ask<undefined>((id) => ({ type: 'archive', id, task }), { signal, onArchived });
  }

  /** Deletes archived days. Returns those that it found. Errors: those of `expireDays`. */
  expireDays(task: ExpireTask, signal: AbortSignal): Promise<readonly number[]> {
    return this.#ask<readonly number[]>((id) => ({ type: 'expire', id, task }), { signal });
  }

  /** Asks the object store for an answer. Errors: those of opening it and of a list; the reason of the signal. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#ask<undefined>((id) => ({ type: 'check', id }), { signal });
  }

  /** Ends the thread, and what it does: its tasks, and later ones, fail as `cancelled`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop();
    await Promise.race([this.ended(), sleep(this.#clock, CLOSE_MS)]);
    await Promise.all([...this.#ending].map(({ worker }) => worker.terminate()));
    await this.ended();
  }

  /** Waits for threads that had no task for a while, and that are ending. */
  async ended(): Promise<void> {
    await Promise.all([...this.#ending].map(({ ended }) => ended));
  }

  /** Sends a message, whose type decides that of the result. */
  async #ask<R extends Result>(
    taskOf: (id: number) => ToSnapshotThread,
    { signal, onProgress, onArchived }: AskOptions,
  ): Promise<R> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw stopped();
    this.#idle?.cancel();
    this.#running ??= this.#started();
    const { worker, waiting } = this.#running;
    const id = this.#nextId++;
    // Its reply is not waited for: it may come when an object store has not answered for minutes.
    const cancel = (): void => {
      post(worker, { type: 'cancel', id });
      waiting.get(id)?.reject(stopped());
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise<R>((resolve, reject) => {
        waiting.set(id, { resolve: (result) => resolve(result as R), reject, onProgress, onArchived });
        post(worker, taskOf(id));
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      waiting.delete(id);
      signal?.removeEventListener('abort', cancel);
      if (waiting.size === 0) this.#rest();
    }
  }

  #rest(): void {
    this.#idle?.cancel();
    this.#idle = this.#clock.setTimer(IDLE_MS, () => this.#stop());
  }

  #stop(): void {
    this.#idle?.cancel();
    if (this.#running === undefined) return;
    const running = this.#running;
    this.#running = undefined;
    this.#ending.add(running);
    void running.ended.then(() => this.#ending.delete(running));
    post(running.worker, { type: 'stop' });
  }

  #started(): Running {
    const start: SnapshotThreadStart = {
      ...this.#start,
      digests: this.#digests,
      compileCache: compileCacheFolder(),
    };
    const worker = new Worker(new URL('./snapshot-worker-main.ts', import.meta.url), { workerData: start });
    const waiting = new Map<number, Waiting>();
    worker.on('message', (message: FromSnapshotThread) => {
      if (message.type === 'stopped') this.#digests = message.digests;
      else receive(message, waiting.get(message.id));
    });
    // A bug in the thread fails its tasks; the platform and the next task continue.
    let end = stopped();
    worker.once('error', (error) => {
      end = new TidemarkError('internal', `internal error in the thread that makes snapshots: ${messageOf(error)}`);
    });
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        if (this.#running?.worker === worker) this.#running = undefined;
        for (const { reject } of waiting.values()) reject(end);
        resolve();
      });
    });
    return { worker, waiting, ended };
  }
}

function stopped(): TidemarkError {
  return new TidemarkError('cancelled', 'the thread that makes snapshots was stopped');
}

function receive(message: Exclude<FromSnapshotThread, { type: 'stopped' }>, waiting: Waiting | undefined): void {
  if (message.type === 'progress') waiting?.onProgress?.(message.doneBytes, message.totalBytes);
  else if (message.type === 'archived') waiting?.onArchived?.(message.archived);
  else if (message.type === 'made') waiting?.resolve(message.made);
  else if (message.type === 'restored') waiting?.resolve(message.outcome);
  else if (message.type === 'expired') waiting?.resolve(message.days);
  else if (message.type === 'done') waiting?.resolve(undefined);
  else waiting?.reject(restoredError(message.error));
}

function post(worker: Worker, message: ToSnapshotThread): void {
  worker.postMessage(message);
}
