import type { ClientHealth, HealthReply, HeldMemory, Problem, ThreadDelay, Volume } from '@tidemark/contract';
import { type Clock, type Disk, isTidemarkError, sleep } from '@tidemark/ports';
import { lowSpace } from './low-space.ts';
import type { ProblemCause, ProblemKind } from './problem.ts';

/** Checks one part; undefined while it is healthy. */
export type Check = () => ProblemCause | undefined;

/** Checks several parts of a kind and returns the causes of those that are not healthy, by name. */
export type CheckParts = () => ReadonlyMap<string, ProblemCause>;

export interface ProcessHealthOptions {
  /** Names the process as `control` does: `intake 4711`. */
  readonly process: string;
  readonly clock: Clock;
  /** Why the process does not do its work; undefined when it does. */
  readonly notReady: () => string | undefined;
  /** Clients of an intake. */
  readonly clients?: () => readonly ClientHealth[];
  /** Called when a problem begins, and with no cause when it ends. */
  readonly onChange?: (kind: ProblemKind, part: string, cause: ProblemCause | undefined) => void;
}

interface WatchedVolume {
  readonly folder: string;
  readonly disk: Pick<Disk, 'space'>;
  space: Volume | undefined;
  /** When the outstanding request for the space began, monotonic ms. */
  askedMs: number | undefined;
}

const CHECK_MS = 1000;
/** A volume without a reading of its space for this long is a problem. */
const SPACE_MS = 10_000;
const PROBLEMS = 1000;
const CLIENTS = 10_000;
const REASON_CHARACTERS = 500;

/** The problems of a process, and since when: reported by its parts, or found by checks that run each second. */
export class ProcessHealth {
  readonly #options: ProcessHealthOptions;
  readonly #startedMs: number;
  readonly #problems = new Map<string, Problem & { readonly kind: ProblemKind }>();
  readonly #checks: { readonly kind: ProblemKind; readonly check: CheckParts }[] = [];
  readonly #volumes: WatchedVolume[] = [];
  readonly #threads: (() => readonly ThreadDelay[])[] = [];
  readonly #memory: (() => readonly HeldMemory[])[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ProcessHealthOptions) {
    this.#options = options;
    this.#startedMs = Math.floor(options.clock.wallMs());
  }

  /** Records that a part does not work, or (without a cause) works again. */
  report(kind: ProblemKind, part: string, cause: ProblemCause | undefined): void {
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

  /** Adds a check, which runs each second. */
  watch(kind: ProblemKind, check: Check): void {
    this.watchParts(kind, () => {
      const cause = check();
      return cause === undefined ? NOTHING : new Map([['', cause]]);
    });
  }

  /** Adds a check of several parts, which runs each second; no other caller may report problems of this kind. */
  watchParts(kind: ProblemKind, check: CheckParts): void {
    this.#checks.push({ kind, check });
  }

  /** Adds a volume, whose space is read each second; it is a problem when it is nearly full or does not answer. */
  watchVolume(folder: string, disk: Pick<Disk, 'space'>): void {
    this.#volumes.push({ folder, disk, space: undefined, askedMs: undefined });
  }

  /** Adds threads whose delays are part of the health. */
  watchThreads(read: () => readonly ThreadDelay[]): void {
    this.#threads.push(read);
  }

  /** Delays of the threads that serve. */
  get threads(): ThreadDelay[] {
    return this.#threads.flatMap((read) => read());
  }

  /** Adds holders of memory that are part of the health. */
  watchMemory(read: () => readonly HeldMemory[]): void {
    this.#memory.push(read);
  }

  /** Memory of the process and its threads. */
  get memory(): HeldMemory[] {
    return this.#memory.flatMap((read) => read());
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
      threads: this.threads,
      memory: this.memory,
    };
  }

  /** Runs every check once; `start` does that each second. */
  check(): void {
    for (const { kind, check } of this.#checks) {
      const found = check();
      for (const known of [...this.#problems.values()]) {
        if (known.kind === kind && !found.has(known.part)) this.report(kind, known.part, undefined);
      }
      for (const [part, cause] of found) this.report(kind, part, cause);
    }
    for (const volume of this.#volumes) this.#checkVolume(volume);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.check();
      await sleep(this.#options.clock, CHECK_MS, this.#stop.signal);
    }
  }

  /** Reads the space, one request at a time: a network disk that is unreachable may never answer. */
  #checkVolume(volume: WatchedVolume): void {
    const { folder, disk, askedMs } = volume;
    const nowMs = this.#options.clock.monotonicMs();
    if (askedMs !== undefined) {
      if (nowMs - askedMs < SPACE_MS) return;
      const message = `no free-space reading for ${folder} for ${Math.round((nowMs - askedMs) / 1000)} s`;
      this.report('disk', folder, { code: 'deadline_exceeded', message });
      return;
    }
    volume.askedMs = nowMs;
    disk.space().then(
      ({ freeBytes, totalBytes }) => {
        volume.askedMs = undefined;
        volume.space = { folder, freeBytes, totalBytes };
        this.report('disk', folder, lowSpace(volume.space));
      },
      (error: unknown) => {
        volume.askedMs = undefined;
        if (!isTidemarkError(error)) throw error;
        this.report('disk', folder, error);
      },
    );
  }
}

const NOTHING: ReadonlyMap<string, ProblemCause> = new Map();
