import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { assert, TidemarkError } from '@tidemark/ports';
import type { Watchdog } from './watchdog.ts';

export interface ProgramOptions {
  /** Name in messages: `broker 2`, `intake-1`. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Environment of the process. Default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly watchdog: Watchdog;
}

const LOG_TAIL_BYTES = 4000;
const STOP_MS = 20_000;
const FREEZE_MS = 30_000;
const POLL_MS = 5;
/** Ticks of /proc/PID/stat per second, on every Linux that Node runs on. */
const TICKS = 100;
/** Fields of /proc/PID/stat after the name: state, user time, system time. */
const STATE = 0;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/**
 * A program of this machine as a child process that can be started, killed, frozen and stopped, for development, tests
 * and measurements. It is ended by its own process id, never by a name, and by the watchdog at the latest.
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
    assert(this.#child?.pid !== undefined, `${this.name} is not running`);
    return this.#child.pid;
  }

  /** Exit code or signal of the last run; undefined during the first run. */
  get ending(): string | undefined {
    return this.#ending;
  }

  /** Starts the process. Subclasses add its preparation, and the wait until it is ready. */
  spawn(): void {
    assert(this.#child === undefined, `${this.name} is already running`);
    const { command, environment, logFile, watchdog } = this.#options;
    const log = openSync(logFile, 'a');
    // A process group of its own: Ctrl-C in a terminal must reach only this process, which then ends the child.
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

  /** Kills the process by SIGKILL. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#child?.ref();
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Stops the process by SIGTERM, and kills it when that takes longer than `withinMs`. */
  async stop(withinMs = STOP_MS): Promise<void> {
    const child = this.#child;
    child?.ref();
    child?.kill('SIGTERM');
    const timer = setTimeout(() => child?.kill('SIGKILL'), withinMs);
    await this.#ended;
    clearTimeout(timer);
  }

  /**
   * Freezes the process by SIGSTOP: it keeps its connections and answers nothing. Resolves when none of its threads
   * runs any more, or at once where /proc is missing. Throws `deadline_exceeded` when a thread still runs after 30 s.
   */
  async freeze(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    const deadlineMs = performance.now() + FREEZE_MS;
    while (threadsOf(pid).some((stat) => stat[STATE] !== 'T')) {
      if (performance.now() > deadlineMs) {
        throw new TidemarkError('deadline_exceeded', `${this.name} still runs ${FREEZE_MS} ms after SIGSTOP`);
      }
      await delay(POLL_MS);
    }
  }

  /** Resumes a frozen process by SIGCONT. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Returns the CPU time of the process so far, s; undefined where /proc is missing. */
  cpuSeconds(): number | undefined {
    const stat = statOf(`/proc/${this.pid}/stat`);
    return stat && (Number(stat[USER_TICKS]) + Number(stat[SYSTEM_TICKS])) / TICKS;
  }

  /** Returns the end of the process's output. */
  logTail(): string {
    try {
      return readFileSync(this.#options.logFile, 'utf8').slice(-LOG_TAIL_BYTES);
    } catch {
      return '';
    }
  }
}

/** Returns the stat fields of each thread, from its state on; none where /proc is missing. */
function threadsOf(pid: number): string[][] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.map((thread) => statOf(`/proc/${pid}/task/${thread}/stat`)).filter((stat) => stat !== undefined);
  } catch {
    return [];
  }
}

/** Reads the stat fields after the name, which is in parentheses and may contain any characters. */
function statOf(path: string): string[] | undefined {
  try {
    const stat = readFileSync(path, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
