import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Watchdog } from '@tidemark/kafka-cluster';
import { assert, TidemarkError } from '@tidemark/ports';

/** The executables of a cluster; each is `apps/KIND`. */
export type ServiceKind = 'coordinator' | 'intake' | 'point-store' | 'tag-store' | 'aggregator' | 'query' | 'agent';

export interface ServicePorts {
  readonly grpc: number;
  readonly http: number;
}

export interface ServiceProcessOptions {
  readonly kind: ServiceKind;
  /** Unique in the cluster: `intake-1`. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Where it listens. */
  readonly ports: ServicePorts;
  readonly watchdog: Watchdog;
}

const LOG_TAIL_BYTES = 4000;
const STOP_MS = 20_000;
const LOOK_MS = 50;
/** Ticks of /proc/PID/stat per second, on every Linux that Node runs on. */
const TICKS = 100;

/** One process of a cluster on this machine. It is ended by its own process id, never by a name. */
export class ServiceProcess {
  readonly kind: ServiceKind;
  readonly name: string;
  readonly ports: ServicePorts;
  readonly #options: ServiceProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  /** Code or signal that the last run ended with. */
  #ending: string | undefined;

  constructor(options: ServiceProcessOptions) {
    this.kind = options.kind;
    this.name = options.name;
    this.ports = options.ports;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    assert(this.#child?.pid !== undefined, `${this.name} runs`);
    return this.#child.pid;
  }

  /** How the last run ended; undefined while the first runs. */
  get ending(): string | undefined {
    return this.#ending;
  }

  /** Starts the process; `ready` tells when it does its work. */
  spawn(): void {
    assert(this.#child === undefined, `${this.name} does not run yet`);
    const { command, environment, logFile, watchdog } = this.#options;
    const log = openSync(logFile, 'a');
    // A group of its own: Ctrl-C at a terminal is for the process that has it, which ends this one when it likes.
    const child = spawn(command[0], command.slice(1), {
      stdio: ['ignore', log, log],
      detached: true,
      env: environment,
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

  /** Why the process is not ready, or undefined once it is. */
  async notReady(): Promise<string | undefined> {
    if (!this.isRunning) return `it ended with ${this.#ending}`;
    try {
      const reply = await fetch(`http://127.0.0.1:${this.ports.http}/readyz`, { signal: AbortSignal.timeout(2000) });
      if (reply.ok) return undefined;
      const { errors } = (await reply.json()) as { errors?: string[] };
      return errors?.join('; ') ?? `HTTP status ${reply.status}`;
    } catch (error) {
      return `it does not answer: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Resolves once the process is ready. `unavailable`, with the end of its log, when it ends or takes too long. */
  async ready(withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const reason = await this.notReady();
      if (reason === undefined) return;
      if (!this.isRunning || performance.now() > deadlineMs) {
        throw new TidemarkError(
          'unavailable',
          `${this.name} is not ready: ${reason}; its log ends:\n${this.logTail()}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
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

  /** The end of what the process wrote. */
  logTail(): string {
    try {
      return readFileSync(this.#options.logFile, 'utf8').slice(-LOG_TAIL_BYTES);
    } catch {
      return '';
    }
  }
}
