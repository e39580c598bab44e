import { type DayPlace, dateOf, NAMES_TO_COME } from '@tidemark/archive';
import type { ProcessHealth } from '@tidemark/health';
import { DAY_MS } from '@tidemark/model';
import { type DayGeneration, generationsOf, type PointStoreLimits } from '@tidemark/point-store';
import {
  asTidemarkError,
  type Clock,
  type Disk,
  type Events,
  type Random,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import { NOT_COPIED, type StoreWorkers } from '@tidemark/store-workers';
import type { ArchivedFacts } from './snapshot-messages.ts';
import { jittered } from './snapshot-schedule.ts';
import type { SnapshotThread } from './snapshot-thread.ts';

/** Folder of the copies below that of the data, on whose volume links to tables can be made. */
const COPIES = 'archiving';
/**
 * How long a name may be missing before that is a problem. It comes with the next snapshot of the tag store, which may be that of
 * another process.
 */
const NAMES_MS = 6 * 3_600_000;

export interface ArchiveScheduleParts {
  readonly stores: Pick<StoreWorkers, 'call' | 'checkpoint'>;
  readonly thread: Pick<SnapshotThread, 'archive' | 'expireDays'>;
  /** Partitions whose point stores are in this process. */
  readonly partitions: readonly number[];
  readonly limits: PointStoreLimits;
  /** Disk of the data folder, and the path of a name in it. */
  readonly disk: Pick<Disk, 'remove'>;
  readonly pathOf: (name: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly health: Pick<ProcessHealth, 'report'>;
  readonly events: Events;
}

export interface ArchiveScheduleOptions {
  /** Time between two looks for closed days, ms. */
  readonly intervalMs: number;
  /** Archived days that ended so long ago are deleted, ms; 0: none. */
  readonly retentionMs: number;
}

/**
 * Puts the closed days of the point stores of a process into the object store: it asks at each interval for days that have closed,
 * copies the database of a partition that has one, and has it archived. Replicas do the same; at random times, so that mostly one of
 * them finds the work undone. What fails is a problem of kind `archive` until it succeeds, and is tried again at the next interval.
 */
export class ArchiveSchedule {
  readonly #parts: ArchiveScheduleParts;
  readonly #options: ArchiveScheduleOptions;
  readonly #stopping = new AbortController();
  /** Generations that are known to be in the object store, by partition: `DAY-CUT`. */
  readonly #known = new Map<number, Set<string>>();
  /** Days before it were deleted, by partition. */
  readonly #firstKept = new Map<number, number>();
  /** Since when names were missing, by partition, in monotonic time. */
  readonly #namelessMs = new Map<number, number>();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ArchiveScheduleParts, options: ArchiveScheduleOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the work in progress, which the next start repeats. */
  async stop(): Promise<void> {
    this.#stopping.abort(new TidemarkError('cancelled', 'the process stops'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, partitions } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await sleep(clock, this.#options.intervalMs * jittered(random), signal);
      for (const partition of partitions) {
        if (signal.aborted) return;
        await this.#archive(partition);
      }
    }
  }

  async #archive(partition: number): Promise<void> {
    const { health } = this.#parts;
    const { signal } = this.#stopping;
    const name = `points/${partition}`;
    try {
      const closed = await this.#closed(partition);
      const known = this.#knownOf(partition, closed);
      const waiting = closed.filter((one) => !known.has(keyOf(one)));
      if (waiting.length > 0) await this.#copyAndArchive(partition, waiting);
      for (const one of waiting) known.add(keyOf(one));
      this.#namelessMs.delete(partition);
      await this.#expire(partition, closed);
      health.report('archive', name, undefined);
    } catch (error) {
      if (signal.aborted) return;
      const cause = asTidemarkError(error);
      if (!this.#isProblem(partition, cause)) return;
      health.report('archive', name, cause);
    }
  }

  /** The generations of the closed days of a partition, the oldest first. */
  async #closed(partition: number): Promise<DayGeneration[]> {
    const { closedDays } = await this.#parts.stores.call('points', 'status', { partition }, this.#stopping.signal);
    return closedDays.flatMap(generationsOf);
  }

  /** What is known of a partition, without what has expired. */
  #knownOf(partition: number, closed: readonly DayGeneration[]): Set<string> {
    const all = new Set(closed.map(keyOf));
    const known = new Set([...(this.#known.get(partition) ?? [])].filter((key) => all.has(key)));
    this.#known.set(partition, known);
    return known;
  }

  async #copyAndArchive(partition: number, generations: readonly DayGeneration[]): Promise<void> {
    const { stores, thread, disk, pathOf, limits, events } = this.#parts;
    const [copy, namesFolder] = [`${COPIES}/points-${partition}`, `${COPIES}/names-${partition}`];
    // Of a run that ended without removing it.
    await disk.remove(COPIES);
    try {
      const { logId } = await stores.checkpoint('points', partition, pathOf(copy));
      const places = generations.map((one): DayPlace => ({ partition, logId, ...one }));
      const task = { partition, copy, namesFolder, places, limits };
      await thread.archive(task, this.#stopping.signal, (archived) => {
        events.info(`archived a day of points/${partition}`, factsOf(archived));
      });
    } finally {
      await disk.remove(COPIES);
    }
  }

  /**
   * Deletes days whose retention has ended: by this process's clock, and by the newest day that has closed. One of them that is far ahead
   * deletes nothing.
   */
  async #expire(partition: number, closed: readonly DayGeneration[]): Promise<void> {
    const { thread, clock, events } = this.#parts;
    const { retentionMs } = this.#options;
    const newest = closed.at(-1);
    if (retentionMs === 0 || newest === undefined) return;
    const endMs = Math.min(clock.wallMs(), (newest.day + 1) * DAY_MS);
    const firstKept = Math.floor((endMs - retentionMs) / DAY_MS);
    if (firstKept <= (this.#firstKept.get(partition) ?? Number.NEGATIVE_INFINITY)) return;
    const days = await thread.expireDays({ partition, firstKept }, this.#stopping.signal);
    this.#firstKept.set(partition, firstKept);
    if (days.length > 0)
      events.info(`deleted archived days of points/${partition}`, { days: days.map(dateOf).join(' ') });
  }

  #isProblem(partition: number, { detail }: TidemarkError): boolean {
    // A store that can't be copied, because it is halted or damaged, reports that itself.
    if (detail[NOT_COPIED] === true) return false;
    if (detail.reason !== NAMES_TO_COME) return true;
    const nowMs = this.#parts.clock.monotonicMs();
    const sinceMs = this.#namelessMs.get(partition) ?? nowMs;
    this.#namelessMs.set(partition, sinceMs);
    return nowMs - sinceMs >= NAMES_MS;
  }
}

function keyOf({ day, toOffset }: DayGeneration): string {
  return `${day}-${toOffset}`;
}

function factsOf({ day, toOffset, points, series, bytes }: ArchivedFacts): Record<string, string | number> {
  return { day: dateOf(day), toOffset, points, series, bytes };
}
