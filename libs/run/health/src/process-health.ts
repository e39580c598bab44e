import type { ClientHealth, HealthReply, Problem, Volume } from '@tidemark/contract';
import { type Clock, type Disk, isTidemarkError, sleep } from '@tidemark/ports';
import { lowSpace } from './low-space.ts';
import type { ProblemCause, ProblemKind } from './problem.ts';

/** Looks at one thing; undefined while it is well. */
export type Look = () => ProblemCause | undefined;

/** Looks at several things of a kind, by their names; only those that are not well. */
export type LookAtParts = () => ReadonlyMap<string, ProblemCause>;

export interface ProcessHealthOptions {
  /** Names the process as `control` does: `intake 4711`. */
  readonly process: string;
  readonly clock: Clock;
  /** Why the process does not do its work; undefined when it does. */
  readonly notReady: () => string | undefined;
  /** Clients of an intake. */
  readonly clients?: () => readonly ClientHealth[];
  /** Told when a problem begins, and with no cause when it is over. */
  readonly onChange?: (kind: ProblemKind, part: string, cause: ProblemCause | undefined) => void;
}

interface WatchedVolume {
  readonly folder: string;
  readonly disk: Pick<Disk, 'space'>;
  space: Volume | undefined;
  /** When an answer was asked for that has not come, monotonic ms. */
  askedMs: number | undefined;
}

const LOOK_MS = 1000;
/** A volume that does not say its space for this long is a problem. */
const SPACE_MS = 10_000;
const PROBLEMS = 1000;
const CLIENTS = 10_000;
const REASON_CHARACTERS = 500;

/** What is wrong with a process, and since when: told by its parts, or seen by looking at them each second. */
export class ProcessHealth {
  readonly #options: ProcessHealthOptions;
  readonly #startedMs: number;
  readonly #problems = new Map<string, Problem & { readonly kind: ProblemKind }>();
  readonly #looks: { readonly kind: ProblemKind; readonly look: LookAtParts }[] = [];
  readonly #volumes: WatchedVolume[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ProcessHealthOptions) {
    this.#options = options;
    this.#startedMs = Math.floor(options.clock.wallMs());
  }

  /** A part says that something began not to work, or (no cause) works again. */
  tell(kind: ProblemKind, part: string, cause: ProblemCause | undefined): void {
    const key = `${kind} ${part}`;
    const known = this.#problems.get(key);
    if (cause === undefined) {
      if (this.#problems.delete(key)) this.#options.onChange?.(kind, part, undefined);
      return;
    }
    const { code } = cause;
    const reason = cause.message.slice(0, REASON_CHARACTERS);
    const sinceMs = known?.sinceMs ?? Math.floor(this.#options.clock.wallMs());
    this.#problems.set(key, { kind, part, code, reason, sinceMs });
    if (known === undefined) this.#options.onChange?.(kind, part, cause);
  }

  /** From now on looks each second. */
  watch(kind: ProblemKind, look: Look): void {
    this.watchParts(kind, () => {
      const cause = look();
      return cause === undefined ? NOTHING : new Map([['', cause]]);
    });
  }

  /** As `watch`, of several parts; nobody else may tell of this kind. */
  watchParts(kind: ProblemKind, look: LookAtParts): void {
    this.#looks.push({ kind, look });
  }

  /** From now on knows how much space a volume has, and says when it is nearly full or does not answer. */
  watchVolume(folder: string, disk: Pick<Disk, 'space'>): void {
    this.#volumes.push({ folder, disk, space: undefined, askedMs: undefined });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get reply(): HealthReply {
    const { process, clock, notReady, clients } = this.#options;
    const problems = [...this.#problems.values()].sort((a, b) => a.sinceMs - b.sinceMs).slice(0, PROBLEMS);
    return {
      process,
      nowMs: Math.floor(clock.wallMs()),
      startedMs: this.#startedMs,
      notReady: notReady() ?? '',
      problems,
      volumes: this.#volumes.map(({ space }) => space).filter((space) => space !== undefined),
      clients: [...(clients?.() ?? [])].slice(0, CLIENTS),
    };
  }

  /** Looks once; `start` does it each second. */
  look(): void {
    for (const { kind, look } of this.#looks) {
      const found = look();
      for (const known of [...this.#problems.values()]) {
        if (known.kind === kind && !found.has(known.part)) this.tell(kind, known.part, undefined);
      }
      for (const [part, cause] of found) this.tell(kind, part, cause);
    }
    for (const volume of this.#volumes) this.#lookAt(volume);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.look();
      await sleep(this.#options.clock, LOOK_MS, this.#stop.signal);
    }
  }

  /** One question at a time: the disk of a network that is away may never answer. */
  #lookAt(volume: WatchedVolume): void {
    const { folder, disk, askedMs } = volume;
    const nowMs = this.#options.clock.monotonicMs();
    if (askedMs !== undefined) {
      if (nowMs - askedMs < SPACE_MS) return;
      const message = `the volume of ${folder} has not said its space for ${Math.round((nowMs - askedMs) / 1000)} s`;
      this.tell('disk', folder, { code: 'deadline_exceeded', message });
      return;
    }
    volume.askedMs = nowMs;
    disk.space().then(
      ({ freeBytes, totalBytes }) => {
        volume.askedMs = undefined;
        volume.space = { folder, freeBytes, totalBytes };
        this.tell('disk', folder, lowSpace(volume.space));
      },
      (error: unknown) => {
        volume.askedMs = undefined;
        if (!isTidemarkError(error)) throw error;
        this.tell('disk', folder, error);
      },
    );
  }
}

const NOTHING: ReadonlyMap<string, ProblemCause> = new Map();
