import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Program, type ProgramOptions } from '@tidemark/child-process';
import { TidemarkError } from '@tidemark/ports';
import { knowsBrokers } from './readiness.ts';
import type { BrokerPorts } from './server-properties.ts';

const run = promisify(execFile);

export interface BrokerOptions extends Omit<ProgramOptions, 'name' | 'environment'> {
  readonly id: number;
  /** Where it listens. */
  readonly ports: BrokerPorts;
  /** What clients connect to: `ports.client`, or the port of a link to it. */
  readonly clientPort: number;
  readonly startMs: number;
  /** Bytes that no file of the broker can grow beyond: stands for a full disk. */
  readonly fileSizeLimitBytes?: number;
}

/** One broker's process. */
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

  /** Starts the process; `ready` tells when it serves. */
  override spawn(): void {
    super.spawn();
    if (this.#fileSizeLimitBytes !== undefined) void this.limitFileSize(this.#fileSizeLimitBytes);
  }

  /** Resolves when the broker serves and knows of `ids`. Errors: `unavailable`, with the end of its log. */
  async ready(ids: readonly number[] = [this.id]): Promise<void> {
    const deadlineMs = performance.now() + this.#startMs;
    const isOver = () => !this.isRunning || performance.now() > deadlineMs;
    if (await knowsBrokers(this.ports.broker, ids, isOver)) return;
    const what = this.isRunning ? `did not get ready within ${this.#startMs} ms` : 'ended while it started';
    throw new TidemarkError('unavailable', `Kafka ${this.name} ${what}; its log ends:\n${this.logTail()}`);
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
}
