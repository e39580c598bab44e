import type { Disk, ObjectStore } from '@tidemark/ports';
import {
  type FaultPlan,
  Incarnation,
  SeededRandom,
  SimulatedClock,
  SimulatedDisk,
  SimulatedObjectStore,
} from '@tidemark/simulation';
import { SnapshotStore } from '../index.ts';

export const PLACE = { kind: 'points', partition: 3 } as const;
export const PREFIX = 'snapshots/points-3/';

export interface SnapshotWorldOptions {
  readonly seed: number;
  /** Max latency of an object's request and of its reply, ms of virtual time each. Default 10. */
  readonly maxLatencyMs?: number;
  readonly faults?: (random: SeededRandom) => FaultPlan;
}

/** A process that uses the object store, and a disk of its own. */
export interface SnapshotProcess {
  readonly incarnation: Incarnation;
  readonly store: SnapshotStore;
  readonly disk: Disk;
}

/** What a process gets, so that a test can count its operations. */
export type Wrap = <T extends object>(part: T, incarnation: Incarnation) => T;

/** An object store on a simulated clock, and the processes that use it. */
export class SnapshotWorld {
  readonly random: SeededRandom;
  readonly clock: SimulatedClock;
  readonly objects: SimulatedObjectStore;
  readonly faults: FaultPlan | undefined;
  #processes = 0;

  constructor({ seed, maxLatencyMs = 10, faults }: SnapshotWorldOptions) {
    this.random = new SeededRandom(seed);
    this.clock = new SimulatedClock({ shuffle: this.random.fork('timers') });
    this.faults = faults?.(this.random);
    const random = this.random.fork('objects');
    this.objects = new SimulatedObjectStore({ clock: this.clock, random, maxLatencyMs, faults: this.faults });
  }

  newDisk(): SimulatedDisk {
    return new SimulatedDisk({ clock: this.clock, random: this.random.fork('disk'), maxLatencyMs: 0.01 });
  }

  /** Starts a process on a disk. */
  start(disk: SimulatedDisk, wrap: Wrap = (part) => part): SnapshotProcess {
    const incarnation = new Incarnation('process', this.#processes++);
    const objects = wrap<ObjectStore>(this.objects.bind(incarnation), incarnation);
    const clock = this.clock.nodeClock().bind(incarnation);
    const random = this.random.fork(incarnation.id);
    const store = new SnapshotStore({ objects, place: PLACE, clock, random, user: incarnation.id });
    return { incarnation, store, disk: wrap<Disk>(disk.bind(incarnation), incarnation) };
  }

  /** Runs a task of a process until it is settled, or the process has ended: then it throws `ProcessCrashed`. */
  async run<T>({ incarnation }: SnapshotProcess, task: Promise<T>, deadlineMs = 1e9): Promise<T> {
    let isSettled = false;
    const settled = incarnation.orCrash(task).finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    await this.clock.run(() => isSettled, deadlineMs);
    return settled;
  }

  /** Keys of the place, without its prefix. */
  keys(folder = ''): string[] {
    return this.objects.keys().flatMap((key) => (key.startsWith(PREFIX + folder) ? [key.slice(PREFIX.length)] : []));
  }
}
