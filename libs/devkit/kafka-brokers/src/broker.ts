import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Program, type ProgramOptions } from '@tidemark/child-process';
import { TidemarkError } from '@tidemark/ports';
import { listsBrokers } from './readiness.ts';
import type { BrokerPorts } from './server-properties.ts';

const run = promisify(execFile);

export interface BrokerOptions extends Omit<ProgramOptions, 'name' | 'environment'> {
  readonly id: number;
  /** Ports on which it listens. */
  readonly ports: BrokerPorts;
  /** Port for clients: `ports.client`, or that of a link to it. */
  readonly clientPort: number;
  readonly startMs: number;
  /** Max bytes of any file of the broker, to simulate a full disk. */
  readonly fileSizeLimitBytes?: number;
}

/** The process of one broker. */
export class KafkaBroker extends Program {
  readonly id: number;
  readonly ports: BrokerPorts;
  readonly clientPort: number;
  readonly #startMs: number;
  readonly #fileSizeLimitBytes: number | undefined;

  constructor(options: BrokerOptions) {
    super({ ...options, name: `broker ${options.id}` });
    this.id = options.id;
    this.ports = options.ports;
    this.clientPort = options.clientPort;
    this.#startMs = options.startMs;
    this.#fileSizeLimitBytes = options.fileSizeLimitBytes;
  }

  /** Starts the process; `ready` waits until it serves requests. */
  override spawn(): void {
    super.spawn();
    if (this.#fileSizeLimitBytes !== undefined) void this.limitFileSize(this.#fileSizeLimitBytes);
  }

  /** Resolves when the broker serves and lists `ids` as alive. Throws `unavailable` with the end of its log. */
  async ready(ids: readonly number[] = [this.id]): Promise<void> {
    const deadlineMs = performance.now() + this.#startMs;
    const hasFailed = () => !this.isRunning || performance.now() > deadlineMs;
    if (await listsBrokers(this.ports.broker, ids, hasFailed)) return;
    const failure = this.isRunning ? `was not ready within ${this.#startMs} ms` : 'ended during its start';
    throw new TidemarkError('unavailable', `Kafka ${this.name} ${failure}; its last log lines:\n${this.logTail()}`);
  }

  /** Kills the broker if it runs, starts it with the same data, and waits until it is ready. */
  async restart(): Promise<void> {
    await this.kill();
    this.spawn();
    await this.ready();
  }

  /** Limits the file size of the running broker, to simulate a full disk. Linux only (`prlimit`). */
  async limitFileSize(bytes: number | undefined): Promise<void> {
    const limit = bytes === undefined ? 'unlimited' : String(bytes);
    // Only the soft limit: the hard limit cannot be raised again.
    await run('prlimit', ['--pid', String(this.pid), `--fsize=${limit}:`]);
  }
}
