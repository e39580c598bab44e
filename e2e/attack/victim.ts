import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface VictimOptions {
  readonly url: string;
  readonly key: string;
}

export interface VictimReport {
  /** Times of requests that were answered, ms. */
  readonly sent: readonly number[];
  readonly asked: readonly number[];
  /** Requests that were refused or got no answer, by reason. */
  readonly refusals: Readonly<Record<string, number>>;
  /** How far `complete_through` was behind the clock at each query, ms. */
  readonly lagsMs: readonly number[];
}

/** The tenant that must not be harmed. */
export class Victim {
  readonly #child: ChildProcess;

  constructor(options: VictimOptions) {
    const program = fileURLToPath(new URL('./victim-process.ts', import.meta.url));
    this.#child = fork(program, [JSON.stringify(options)], { execArgv: [] });
  }

  /** Ends it and returns what it measured. */
  async report(): Promise<VictimReport> {
    const reported = once(this.#child, 'message');
    this.#child.send('end');
    const [report] = await reported;
    return report as VictimReport;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
