import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { expireDays } from '@tidemark/archive';
import { ControlCopies } from '@tidemark/control-copy';
import { LocalDisk, SystemClock, SystemRandom, yieldTurn } from '@tidemark/node-runtime';
import { openObjects } from '@tidemark/object-storage';
import {
  type CarriedError,
  type Clock,
  carriedError,
  type Disk,
  isTidemarkError,
  messageOf,
  type ObjectStore,
  type Random,
  Slots,
  TidemarkError,
} from '@tidemark/ports';
import { verifyTables } from '@tidemark/rocksdb';
import {
  type Checkpoint,
  collectSnapshots,
  createSnapshot,
  SNAPSHOTS_PREFIX,
  type SnapshotPlace,
  SnapshotStore,
  TableDigests,
} from '@tidemark/snapshot';
import type { RestoreOutcome, RestoreRequest } from '@tidemark/store-workers';
import { archiveCopy } from './archive-copy.ts';
import { restoreNewest } from './restore-newest.ts';
import {
  type ArchiveTask,
  DATABASE_DAMAGED,
  type FromSnapshotThread,
  type MadeSnapshot,
  type SnapshotTask,
  type SnapshotThreadStart,
  type ToSnapshotThread,
} from './snapshot-messages.ts';

/** Each has some downloads of files, with their buffers and connections. */
const RESTORES_AT_ONCE = 2;
/** A snapshot that was cancelled may wait for the object store, while its caller asks for the next one. */
const MAKES_AT_ONCE = 1;
const ARCHIVES_AT_ONCE = 1;
/** Longest pause between two messages of progress, ms. */
const PROGRESS_MS = 200;

/**
 * Makes snapshots in a thread of its own: reading, hashing and sending gigabytes holds up no store and no intake. Tested by
 * `snapshot-thread.test.ts`.
 */
export class SnapshotWorker {
  readonly #port: MessagePort;
  readonly #start: SnapshotThreadStart;
  readonly #clock: Clock = new SystemClock();
  readonly #random: Random = new SystemRandom();
  readonly #disk: Disk;
  readonly #digests: TableDigests;
  readonly #running = new Map<number, AbortController>();
  readonly #makes = new Slots(MAKES_AT_ONCE);
  readonly #archives = new Slots(ARCHIVES_AT_ONCE);
  readonly #restores = new Slots(RESTORES_AT_ONCE);
  #objects: Promise<ObjectStore> | undefined;

  constructor(port: MessagePort, start: SnapshotThreadStart) {
    this.#port = port;
    this.#start = start;
    this.#disk = new LocalDisk(start.folder);
    this.#digests = new TableDigests(start.digests);
    port.on('message', (message: ToSnapshotThread) => void this.#receive(message));
  }

  async #receive(message: ToSnapshotThread): Promise<void> {
    if (message.type === 'cancel') this.#running.get(message.id)?.abort();
    else if (message.type === 'stop') await this.#stop();
    else await this.#serve(message);
  }

  async #serve(
    message: Extract<ToSnapshotThread, { type: 'make' | 'restore' | 'archive' | 'expire' | 'control' | 'check' }>,
  ): Promise<void> {
    const { id } = message;
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      if (message.type === 'make') {
        const { task } = message;
        const made = await this.#makes.run(() => this.#make(id, task, abort.signal), abort.signal);
        this.#send({ type: 'made', id, made });
      } else if (message.type === 'restore') {
        this.#send({ type: 'restored', id, outcome: await this.#restore(message.request, abort.signal) });
      } else if (message.type === 'archive') {
        const { task } = message;
        await this.#archives.run(() => this.#archive(id, task, abort.signal), abort.signal);
        this.#send({ type: 'done', id });
      } else if (message.type === 'expire') {
        this.#send({ type: 'expired', id, days: await expireDays(await this.#opened(), message.task, abort) });
      } else {
        const objects = await this.#opened();
        if (message.type === 'check') await objects.list(SNAPSHOTS_PREFIX, { limit: 1, signal: abort.signal });
        else await new ControlCopies(objects).put(message.copy, this.#random, abort);
        this.#send({ type: 'done', id });
      }
    } catch (error) {
      this.#send({ type: 'failed', id, error: carried(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  async #make(id: number, task: SnapshotTask, signal: AbortSignal): Promise<MadeSnapshot> {
    const store = await this.#storeOf(task.of);
    const path = join(this.#start.folder, task.checkpoint.folder);
    const checkpoint: Checkpoint = {
      ...{ ...task.checkpoint, disk: this.#disk },
      verifyTables: (names, options) => verifyTables(path, names, options).catch(asDamage),
    };
    const { manifest, uploadedBytes, reusedBytes, damaged } = await createSnapshot(store, checkpoint, task.facts, {
      ...{ signal, digests: this.#digests, base: task.base },
      onProgress: this.#progressOf(id),
    });
    const retentionError = await this.#collect(store, task, signal);
    return { id: manifest.id, createdMs: manifest.createdMs, uploadedBytes, reusedBytes, damaged, retentionError };
  }

  async #collect(
    store: SnapshotStore,
    { retention, facts: { logId } }: SnapshotTask,
    signal: AbortSignal,
  ): Promise<CarriedError | undefined> {
    try {
      const nowMs = this.#clock.wallMs();
      const { blockedBy } = await collectSnapshots(store, { ...retention, logId, nowMs, signal });
      const [first] = blockedBy;
      if (first === undefined) return undefined;
      const others = blockedBy.length > 1 ? ` and ${blockedBy.length - 1} more` : '';
      const text = `no file is removed while these can't be read: ${first.key}${others}: ${messageOf(first.error)}`;
      return carriedError(new TidemarkError('data_loss', text, { key: first.key }));
    } catch (error) {
      return carried(error);
    }
  }

  async #restore(request: RestoreRequest, signal: AbortSignal): Promise<RestoreOutcome> {
    const { kind, partition, to } = request;
    const store = await this.#storeOf({ kind, partition });
    const place = { disk: this.#disk, folder: to };
    return this.#restores.run(
      () => restoreNewest(store, { ...request, logId: request.logId ?? '' }, place, signal),
      signal,
    );
  }

  async #archive(id: number, task: ArchiveTask, signal: AbortSignal): Promise<void> {
    const parts = {
      ...{ objects: await this.#opened(), disk: this.#disk, folder: this.#start.folder, random: this.#random },
      tags: await this.#storeOf({ kind: 'tags', partition: task.partition }),
      slicing: { clock: this.#clock, yieldTurn },
    };
    await archiveCopy(parts, task, signal, (archived) => this.#send({ type: 'archived', id, archived }));
  }

  async #storeOf(place: SnapshotPlace): Promise<SnapshotStore> {
    const objects = await this.#opened();
    return new SnapshotStore({ objects, place, clock: this.#clock, random: this.#random, user: this.#start.user });
  }

  /** One store for all tasks. One that could not be opened, as without a network, is opened again for the next task. */
  #opened(): Promise<ObjectStore> {
    this.#objects ??= openObjects(this.#start.place, this.#random).catch((error: unknown) => {
      this.#objects = undefined;
      throw error;
    });
    return this.#objects;
  }

  #progressOf(id: number): (doneBytes: number, totalBytes: number) => void {
    let sentMs = Number.NEGATIVE_INFINITY;
    return (doneBytes, totalBytes) => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - sentMs < PROGRESS_MS && doneBytes < totalBytes) return;
      sentMs = nowMs;
      this.#send({ type: 'progress', id, doneBytes, totalBytes });
    };
  }

  async #stop(): Promise<void> {
    const stopped = new TidemarkError('cancelled', 'the thread that makes snapshots was stopped');
    for (const abort of this.#running.values()) abort.abort(stopped);
    await (await this.#objects?.catch(() => undefined))?.close();
    this.#send({ type: 'stopped', digests: this.#digests.entries });
    this.#port.close();
  }

  #send(message: FromSnapshotThread): void {
    this.#port.postMessage(message);
  }
}

/** Marks damage of the database, which is not that of an object. */
function asDamage(error: unknown): never {
  if (!isTidemarkError(error, 'data_loss') || error.detail.operation !== 'verify') throw error;
  throw new TidemarkError('data_loss', error.message, { ...error.detail, [DATABASE_DAMAGED]: true }, { cause: error });
}

function carried(error: unknown): CarriedError {
  if (isTidemarkError(error)) return carriedError(error);
  return { code: 'internal', message: `internal error in the thread of snapshots: ${messageOf(error)}`, detail: {} };
}
