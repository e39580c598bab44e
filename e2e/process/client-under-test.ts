import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientStats } from '@tidemark/client';
import type { ClientSettings, CountToRecord, FromClient, ToClient } from './client-messages.ts';

const PROCESS = fileURLToPath(new URL('./client-process.ts', import.meta.url));

/** A client with a spool in a process of its own. */
export class ClientUnderTest {
  readonly #child: ChildProcess;
  readonly #waiting: ((stats: ClientStats) => void)[] = [];

  constructor(settings: ClientSettings) {
    this.#child = fork(PROCESS, [JSON.stringify(settings)], { execArgv: [] });
    this.#child.on('message', ({ stats }: FromClient) => this.#waiting.shift()?.(stats));
  }

  /** Records a count and begins to send it. */
  async count(metric: string, value: number, timestampMs: number): Promise<void> {
    await this.countAll([{ metric, value, timestampMs }]);
  }

  /** Records counts that are sent in one batch, and returns the client's figures after it. */
  countAll(counts: readonly CountToRecord[]): Promise<ClientStats> {
    return this.#ask({ type: 'count', counts });
  }

  stats(): Promise<ClientStats> {
    return this.#ask({ type: 'stats' });
  }

  async kill9(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask(message: ToClient): Promise<ClientStats> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.send(message);
    });
  }
}
