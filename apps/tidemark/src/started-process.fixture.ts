import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const DEADLINE_MS = 60_000;
/** Environment without the settings of the developer who runs the tests. */
const ENVIRONMENT = { PATH: process.env.PATH, HOME: process.env.HOME };

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs one command to its end. */
export async function tidemark(...args: string[]): Promise<Result> {
  const process = new StartedProcess(args);
  const code = await process.ended;
  return { code, out: process.out, error: process.error };
}

/** A `tidemark` process that a test started. */
export class StartedProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = '';
  error = '';

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ['--no-warnings', MAIN, ...args], { env: ENVIRONMENT });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.error += chunk.toString();
    });
    this.ended = once(this.#child, 'close').then(([code]) => code);
  }

  /** Starts a platform in `folder` on free ports, and waits until it is up. */
  static async start(folder: string, ...flags: string[]): Promise<StartedProcess> {
    const free = ['--http-port', '0', '--grpc-port', '0', '--lane-open-delay-ms', '200'];
    const started = new StartedProcess(['start', '--data', folder, ...free, ...flags]);
    try {
      await until('start of the platform', async () => {
        if (started.#child.exitCode !== null) throw new Error(`it ended:\n${started.error}`);
        return started.out.includes('Ctrl-C');
      });
      return started;
    } catch (error) {
      // The test has no reference to it yet, so only this can stop it.
      await started.signal('SIGKILL');
      throw error;
    }
  }

  get address(): string {
    return this.#said(/gRPC +(\S+)/);
  }

  get url(): string {
    return this.#said(/(http:\/\/\S+)/);
  }

  async signal(name: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(name);
    return this.ended;
  }

  #said(pattern: RegExp): string {
    const found = pattern.exec(this.out)?.[1];
    if (found === undefined) throw new Error(`no ${pattern} in:\n${this.out}`);
    return found;
  }
}

/** Waits for a condition, with a deadline. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`no ${what} within ${DEADLINE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
