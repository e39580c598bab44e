import type { ProcessHealth } from '@tidemark/health';
import {
  asTidemarkError,
  type Clock,
  type Disk,
  type Events,
  isTidemarkError,
  type Random,
  Slots,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import type { SnapshotPlace } from '@tidemark/snapshot';
import { NOT_COPIED, type StoreCheckpoint, type StoreWorkers } from '@tidemark/store-workers';
import { DATABASE_DAMAGED, type MadeSnapshot, type Retention, type SnapshotTask } from './snapshot-messages.ts';
import type { MakeOptions, SnapshotThread } from './snapshot-thread.ts';

/** Folder of checkpoints below that of the data, on whose volume links to tables can be made. */
const CHECKPOINTS = 'checkpoints';
/** The first round is so much of an interval after the start, so that a process that is restarted often makes snapshots, too. */
const FIRST_PART = 0.1;
/** Intervals differ by this part, so that not all processes of a cluster send at once. */
const JITTER = 0.1;

/** How often it is asked whether a round is urgent, and the time between such rounds at least. */
const POLL_MS = 10_000;
const URGENT_MS = 60_000;
/** Time between two questions to an object store that has not answered since the start. */
const CHECK_MS = 60_000;
/** What a problem of the object store is about. */
const ALL_STORES = 'any store';
/** A store of which an urgent round makes no snapshot: its problem, if it has one, continues. */
const PASSED_OVER = 'passed over';

export interface SnapshotScheduleParts {
  readonly stores: Pick<StoreWorkers, 'checkpoint' | 'snapshotMade' | 'damageFound'>;
  readonly thread: Pick<SnapshotThread, 'make' | 'check' | 'close'>;
  /** The stores of this process. */
  readonly places: readonly SnapshotPlace[];
  /** Disk of the data folder, and the path of that folder. */
  readonly disk: Pick<Disk, 'remove'>;
  readonly pathOf: (name: string) => string;
  /** True while the log, which is trimmed below snapshots only, is near to its limit: then none is waited for. */
  readonly isUrgent?: (() => boolean) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly health: Pick<ProcessHealth, 'report'>;
  readonly events: Events;
}

export interface SnapshotScheduleOptions extends Retention {
  /** Time between two snapshots of a store, ms; 0: none are made at intervals. */
  readonly intervalMs: number;
}

/** The last snapshot of a store that this process made. */
export interface LastSnapshot extends MadeSnapshot {
  readonly of: SnapshotPlace;
  /** Records of the log below it are in the snapshot. */
  readonly offset: number;
}

/** Whether a copy of a store becomes a snapshot. */
type IsWanted = (checkpoint: StoreCheckpoint, place: SnapshotPlace) => boolean;

/**
 * Makes snapshots of the stores of a process: all of them at each interval, one after the other, and single ones on request. A store
 * that has committed nothing since its last one is passed over, and in urgent rounds one whose snapshot would free nothing of the
 * log. One that fails is a problem of kind `snapshot` until one succeeds, and the next round tries it again in any case. Without
 * rounds it is none, because only another request could end it: its caller has the error.
 */
export class SnapshotSchedule {
  readonly #parts: SnapshotScheduleParts;
  readonly #options: SnapshotScheduleOptions;
  readonly #last = new Map<string, LastSnapshot>();
  /** Stores whose problem only a snapshot ends. */
  readonly #failed = new Set<string>();
  /** Checkpoints keep tables of which the database has newer ones: one at a time bounds the disk that they take. */
  readonly #turn = new Slots(1);
  readonly #stopping = new AbortController();
  /** Snapshots that are being made on request. */
  readonly #making = new Set<Promise<unknown>>();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: SnapshotScheduleParts, options: SnapshotScheduleOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the work in progress: a snapshot that is not complete does not exist. */
  async stop(): Promise<void> {
    this.#stopping.abort(new TidemarkError('cancelled', 'the process stops'));
    await this.#running;
    await Promise.allSettled(this.#making);
    await this.#parts.thread.close();
  }

  /** The stores of this process. */
  get places(): readonly SnapshotPlace[] {
    return this.#parts.places;
  }

  /**
   * Makes a snapshot of a store now, also where nothing has changed. It waits for one that is being made. Errors: `not_found`
   * for a store of another process, those of the store, of the object store, and the reason of `signal`.
   */
  async make(of: SnapshotPlace, { signal, onProgress }: MakeOptions = {}): Promise<LastSnapshot> {
    if (!this.places.some((one) => nameOf(one) === nameOf(of))) {
      throw new TidemarkError('not_found', `${nameOf(of)} belongs to another process`, { ...of });
    }
    const own = this.#stopping.signal;
    const both = signal === undefined ? own : AbortSignal.any([own, signal]);
    const options = { signal: both, onProgress };
    const making = this.#turn.run(
      () => this.#reported(of, both, (checkpoint, folder) => this.#upload(of, checkpoint, folder, options)),
      both,
    );
    this.#making.add(making);
    try {
      return await making;
    } finally {
      this.#making.delete(making);
    }
  }

  async #run(): Promise<void> {
    const { intervalMs } = this.#options;
    const { signal } = this.#stopping;
    const { clock, random, isUrgent } = this.#parts;
    // Copies of a run that was killed keep tables that the databases no longer have. Each copy removes its own again.
    await this.#turn.run(() => this.#parts.disk.remove(CHECKPOINTS), signal).catch(() => undefined);
    await this.#check();
    if (intervalMs === 0) return;
    let lastMs = clock.monotonicMs();
    let dueMs = lastMs + intervalMs * FIRST_PART * jittered(random);
    while (!signal.aborted) {
      await sleep(clock, Math.min(POLL_MS, Math.max(0, dueMs - clock.monotonicMs())), signal);
      const nowMs = clock.monotonicMs();
      const isDue = nowMs >= dueMs;
      const isUrgentNow = !isDue && nowMs - lastMs >= URGENT_MS && isUrgent?.() === true;
      if (signal.aborted || !(isDue || isUrgentNow)) continue;
      // Names of series, which are small, with the points that need them.
      await this.#round(({ freesLog }, { kind }) => isDue || freesLog || kind === 'tags');
      lastMs = clock.monotonicMs();
      if (isDue) dueMs = lastMs + intervalMs * jittered(random);
    }
  }

  /** Says at the start, and not only with the first round, that the object store does not answer. */
  async #check(): Promise<void> {
    const { clock, thread, health } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await thread.check(signal);
        health.report('snapshot', ALL_STORES, undefined);
        return;
      } catch (error) {
        if (!signal.aborted) health.report('snapshot', ALL_STORES, asTidemarkError(error));
      }
      await sleep(clock, CHECK_MS, signal);
    }
  }

  /** Makes snapshots of the stores whose copies `isWanted`. */
  async #round(isWanted: IsWanted): Promise<void> {
    const { signal } = this.#stopping;
    for (const place of this.#parts.places) {
      if (signal.aborted) return;
      await this.#turn.run(() => this.#inRound(place, isWanted), signal).catch(() => undefined);
    }
  }

  async #inRound(of: SnapshotPlace, isWanted: IsWanted): Promise<void> {
    const { signal } = this.#stopping;
    await this.#reported(of, signal, async (checkpoint, folder) => {
      const { offset } = checkpoint;
      // Also of a store without a record: a store without any snapshot is one that has lost them.
      const isUnchanged = this.#last.get(nameOf(of))?.offset === offset;
      if (isUnchanged && !this.#failed.has(nameOf(of))) return undefined;
      return isWanted(checkpoint, of) ? this.#upload(of, checkpoint, folder, { signal }) : PASSED_OVER;
    });
  }

  /** As `#withCheckpoint`; what comes of it begins or ends the problem of the store, except after an abort of `signal`. */
  async #reported<T extends LastSnapshot | typeof PASSED_OVER | undefined>(
    of: SnapshotPlace,
    signal: AbortSignal,
    task: (checkpoint: StoreCheckpoint, folder: string) => Promise<T>,
  ): Promise<T> {
    const { health, events } = this.#parts;
    const name = nameOf(of);
    try {
      const made = await this.#withCheckpoint(of, task);
      if (made !== PASSED_OVER) health.report('snapshot', name, undefined);
      if (typeof made === 'object') events.info(`made a snapshot of ${name}`, factsOf(made));
      return made;
    } catch (error) {
      if (!signal.aborted) this.#reportFailure(name, asTidemarkError(error));
      throw error;
    }
  }

  #reportFailure(name: string, cause: TidemarkError): void {
    // A store that can't be copied, because it is halted or damaged, reports that itself.
    const isProblem = this.#options.intervalMs > 0 && cause.detail[NOT_COPIED] !== true;
    if (isProblem) this.#failed.add(name);
    this.#parts.health.report('snapshot', name, isProblem ? cause : undefined);
  }

  /** Copies the database of a store for `task`, and removes the copy afterwards. Making the copy takes less time than a stop. */
  async #withCheckpoint<T>(
    of: SnapshotPlace,
    task: (checkpoint: StoreCheckpoint, folder: string) => Promise<T>,
  ): Promise<T> {
    const { stores, disk, pathOf } = this.#parts;
    const folder = `${CHECKPOINTS}/${of.kind}-${of.partition}`;
    // Of a run that ended without removing it.
    await disk.remove(folder);
    try {
      return await task(await stores.checkpoint(of.kind, of.partition, pathOf(folder)), folder);
    } finally {
      await disk.remove(folder);
    }
  }

  async #upload(
    of: SnapshotPlace,
    checkpoint: StoreCheckpoint,
    folder: string,
    options: MakeOptions,
  ): Promise<LastSnapshot> {
    const { offset, format, logId, watermarkMs, files, instance } = checkpoint;
    const { stores, thread, health, events } = this.#parts;
    const { keep, keepMs } = this.#options;
    const watermark = watermarkMs === undefined ? {} : { watermarkMs };
    const task: SnapshotTask = {
      of,
      checkpoint: { folder, files, database: instance },
      facts: { storeFormat: format, logId, offset, ...watermark, stateHashes: [] },
      retention: { keep, keepMs },
      base: this.#last.get(nameOf(of))?.id,
    };
    const made = await thread.make(task, options).catch((error: unknown) => {
      if (isTidemarkError(error) && error.detail[DATABASE_DAMAGED] === true) {
        stores.damageFound(of.kind, of.partition, checkpoint, error.message);
      }
      throw error;
    });
    if (made.retentionError !== undefined) {
      events.error(`old snapshots of ${nameOf(of)} were not removed`, { reason: made.retentionError.message });
    }
    if (made.damaged.length > 0) {
      const text = `objects of ${nameOf(of)} were damaged in the object store: earlier snapshots can't be restored`;
      events.error(text, { objects: made.damaged.length, first: made.damaged[0] });
    }
    const last = { ...made, of, offset };
    this.#last.set(nameOf(of), last);
    this.#failed.delete(nameOf(of));
    health.report('snapshot', ALL_STORES, undefined);
    stores.snapshotMade(of.kind, of.partition, checkpoint);
    return last;
  }
}

/** A factor of intervals. */
export function jittered(random: Random): number {
  const [byte] = random.bytes(1);
  return 1 + JITTER * (byte / 127.5 - 1);
}

function nameOf({ kind, partition }: SnapshotPlace): string {
  return `${kind}/${partition}`;
}

function factsOf({ id, offset, uploadedBytes, reusedBytes }: LastSnapshot): Record<string, string | number> {
  return { id, offset, uploadedBytes, reusedBytes };
}
