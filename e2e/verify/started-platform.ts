import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { freePorts } from '@tidemark/child-process';

/** `npm start` as a user runs it, in a process group of its own, on ports that are free. */
export class StartedPlatform {
  readonly #child: ChildProcess;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly dogstatsdPort: number;
  output = '';

  private constructor(child: ChildProcess, httpPort: number, grpcPort: number, dogstatsdPort: number) {
    this.#child = child;
    this.httpPort = httpPort;
    this.grpcPort = grpcPort;
    this.dogstatsdPort = dogstatsdPort;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
  }

  static async start(folder: string, flags: readonly string[] = []): Promise<StartedPlatform> {
    const [httpPort, grpcPort] = await freePorts(2);
    const dogstatsdPort = await freeUdpPort();
    const ports = ['--http-port', httpPort, '--grpc-port', grpcPort, '--dogstatsd-port', dogstatsdPort].map(String);
    const child = spawn('npm', ['start', '--', '--data', folder, ...ports, ...flags], {
      cwd: new URL('../..', import.meta.url),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that kill -9 reaches npm and everything below it.
      detached: true,
    });
    const started = new StartedPlatform(child, httpPort, grpcPort, dogstatsdPort);
    await started.waitFor('the platform to be ready', 180_000, async () => {
      if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${started.output}`);
      return (await fetch(`${started.url}/readyz`).catch(() => undefined))?.ok === true;
    });
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  /** A query over HTTP, in Datadog's shape. Times are seconds since the epoch. */
  async query(query: string, fromSeconds: number, toSeconds: number): Promise<QueryBody> {
    const parameters = new URLSearchParams({ query, from: String(fromSeconds), to: String(toSeconds) });
    const response = await fetch(`${this.url}/api/v1/query?${parameters}`);
    if (!response.ok) throw new Error(`${query}: ${response.status} ${await response.text()}`);
    return (await response.json()) as QueryBody;
  }

  /** Kills npm and all of its processes with SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Sends Ctrl-C and waits for a clean end. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  async waitFor(what: string, deadlineMs: number, condition: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error(`waiting for ${what}: not within ${deadlineMs} ms\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    process.kill(-pid, signal);
    await exited;
  }
}

/** The parts of an answer that the check reads. */
export interface QueryBody {
  readonly series: readonly { readonly pointlist: readonly (readonly [number, number])[]; readonly scope: string }[];
  readonly complete_through: number | null;
  readonly errors?: readonly unknown[];
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
