import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { assert, TidemarkError } from '@tidemark/ports';
import type { Watchdog } from './watchdog.ts';

export interface ProgramOptions {
  /** In messages: `broker 2`, `intake-1`. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly watchdog: Watchdog;
}

const LOG_TAIL_BYTES = 4000;
const STOP_MS = 20_000;
const FREEZE_MS = 30_000;
const LOOK_MS = 5;
/** Ticks of /proc/PID/stat per second, on every Linux that Node runs on. */
const TICKS = 100;
/** Fields of /proc/PID/stat after the name: state, user time, system time. */
const STATE = 0;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/**
 * A program of this machine as a child process, for development, tests and measurements: started, killed, frozen, stopped.
 * It is ended by its own process id, never by a name, and by the watchdog at the latest.
 */
export class Program {
  readonly name: string;
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #ending: string | undefined;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    assert(this.#child?.pid !== undefined, `${this.name} runs`);
    return this.#child.pid;
  }

  /** Code or signal that the last run ended with; undefined while the first runs. */
  get ending(): string | undefined {
    return this.#ending;
  }

  /** Starts the process. What it needs to do its work, and when it does, is told by those who extend this. */
  spawn(): void {
    assert(this.#child === undefined, `${this.name} does not run yet`);
    const { command, environment, logFile, watchdog } = this.#options;
    const log = openSync(logFile, 'a');
    // A group of its own: Ctrl-C at a terminal is for the process that has it, which ends this one when it likes.
    const child = spawn(command[0], command.slice(1), {
      stdio: ['ignore', log, log],
      detached: true,
      ...(environment === undefined ? {} : { env: environment }),
    });
    closeSync(log);
    child.unref();
    this.#child = child;
    const { pid } = child;
    this.#ended = new Promise((resolve) => {
      const end = (ending: string) => {
        if (pid !== undefined) watchdog.forget(pid);
        if (this.#child === child) this.#child = undefined;
        this.#ending = ending;
        resolve();
      };
      child.once('exit', (code, signal) => end(String(signal ?? code)));
      child.once('error', (error) => end(error.message));
    });
    if (pid !== undefined) watchdog.watch(pid);
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child?.ref();
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Asks it to leave in good order, and kills it when that takes longer than `withinMs`. */
  async stop(withinMs = STOP_MS): Promise<void> {
    const child = this.#child;
    child?.ref();
    child?.kill('SIGTERM');
    const timer = setTimeout(() => child?.kill('SIGKILL'), withinMs);
    await this.#ended;
    clearTimeout(timer);
  }

  /**
   * SIGSTOP: it keeps its connections and answers nothing. Resolves when none of its threads runs any more, which takes a
   * moment; where there is no /proc, at once. Errors: `deadline_exceeded`.
   */
  async freeze(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    const deadlineMs = performance.now() + FREEZE_MS;
    while (threadsOf(pid).some((stat) => stat[STATE] !== 'T')) {
      if (performance.now() > deadlineMs) {
        throw new TidemarkError('deadline_exceeded', `${this.name} still runs ${FREEZE_MS} ms after it was stopped`);
      }
      await delay(LOOK_MS);
    }
  }

  /** SIGCONT. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** CPU time of the process so far; undefined where /proc is missing. */
  cpuSeconds(): number | undefined {
    const stat = statOf(`/proc/${this.pid}/stat`);
    return stat && (Number(stat[USER_TICKS]) + Number(stat[SYSTEM_TICKS])) / TICKS;
  }

  /** The end of what the process wrote. */
  logTail(): string {
    try {
      return readFileSync(this.#options.logFile, 'utf8').slice(-LOG_TAIL_BYTES);
    } catch {
      return '';
    }
  }
}

/** The fields of each thread, from its state on; none where /proc is missing. */
function threadsOf(pid: number): string[][] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.map((thread) => statOf(`/proc/${pid}/task/${thread}/stat`)).filter((stat) => stat !== undefined);
  } catch {
    return [];
  }
}

/** The name before them stands in brackets, and may have anything in it. */
function statOf(path: string): string[] | undefined {
  try {
    const stat = readFileSync(path, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
