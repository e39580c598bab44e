import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { assert, TidemarkError } from '@tidemark/ports';
import { knowsBrokers } from './readiness.ts';
import type { BrokerPorts } from './server-properties.ts';
import type { Watchdog } from './watchdog.ts';

const LOG_TAIL_BYTES = 2000;
const STOP_MS = 15_000;
/** Ticks of /proc/PID/stat per second, on every Linux that Node runs on. */
const TICKS = 100;
const run = promisify(execFile);

export interface BrokerOptions {
  readonly id: number;
  readonly command: readonly string[];
  readonly logFile: string;
  /** Where it listens. */
  readonly ports: BrokerPorts;
  /** What clients connect to: `ports.client`, or the port of a link to it. */
  readonly clientPort: number;
  readonly startMs: number;
  readonly watchdog: Watchdog;
  /** Bytes that no file of the broker can grow beyond: stands for a full disk. */
  readonly fileSizeLimitBytes?: number;
}

/** One broker's process. It is ended by its own process id, never by a name. */
export class KafkaBroker {
  readonly id: number;
  readonly ports: BrokerPorts;
  readonly clientPort: number;
  readonly #options: BrokerOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: BrokerOptions) {
    this.id = options.id;
    this.ports = options.ports;
    this.clientPort = options.clientPort;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    assert(this.#child?.pid !== undefined, `broker ${this.id} runs`);
    return this.#child.pid;
  }

  /** Starts the process; `ready` tells when it serves. */
  spawn(): void {
    assert(this.#child === undefined, `broker ${this.id} does not run yet`);
    const { command, logFile, watchdog, fileSizeLimitBytes } = this.#options;
    const log = openSync(logFile, 'a');
    // A group of its own: Ctrl-C at a terminal is for the process that has it, which ends the broker when it likes.
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    child.unref();
    this.#child = child;
    const { pid } = child;
    this.#ended = new Promise((resolve) => {
      const end = () => {
        if (pid !== undefined) watchdog.forget(pid);
        if (this.#child === child) this.#child = undefined;
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
    if (pid !== undefined) watchdog.watch(pid);
    if (fileSizeLimitBytes !== undefined) void this.limitFileSize(fileSizeLimitBytes);
  }

  /** Resolves when the broker serves and knows of `ids`. Errors: `unavailable`, with the end of its log. */
  async ready(ids: readonly number[] = [this.id]): Promise<void> {
    const deadlineMs = performance.now() + this.#options.startMs;
    const isOver = () => !this.isRunning || performance.now() > deadlineMs;
    if (await knowsBrokers(this.ports.broker, ids, isOver)) return;
    const what = this.isRunning ? `did not get ready within ${this.#options.startMs} ms` : 'ended while it started';
    throw new TidemarkError('unavailable', `Kafka broker ${this.id} ${what}; its log ends:\n${this.logTail()}`);
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

  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Kills it if it runs, starts it over the same data, and waits until it is part of the cluster again. */
  async restart(): Promise<void> {
    await this.kill();
    this.spawn();
    await this.ready();
  }

  /** Lets no file of the running broker grow beyond that: a disk that is full from now on. Linux only (`prlimit`). */
  async limitFileSize(bytes: number | undefined): Promise<void> {
    const limit = bytes === undefined ? 'unlimited' : String(bytes);
    // The soft limit alone: the hard one can't be raised again.
    await run('prlimit', ['--pid', String(this.pid), `--fsize=${limit}:`]);
  }

  /** CPU time of the process so far; undefined where /proc is missing. */
  cpuSeconds(): number | undefined {
    try {
      const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    } catch {
      return undefined;
    }
  }

  /** The end of what the broker wrote. */
  logTail(): string {
    try {
      return readFileSync(this.#options.logFile, 'utf8').slice(-LOG_TAIL_BYTES);
    } catch {
      return '';
    }
  }
}
