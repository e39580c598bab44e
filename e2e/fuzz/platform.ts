import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, Program, Watchdog } from '@tidemark/child-process';
import { eventually } from '../process/eventually.ts';
import { holds } from './target.ts';

const READY_MS = 5000;

/** A platform with an agent, as a user starts it, in a process of its own. Inputs must not end it. */
export class FuzzedPlatform {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly dogstatsdPort: number;
  /** Path of the stream socket of DogStatsD. */
  readonly streamPath: string;
  readonly #program: Program;
  readonly #end: () => Promise<void>;

  private constructor(program: Program, ports: readonly number[], streamPath: string, end: () => Promise<void>) {
    [this.httpPort, this.grpcPort, this.dogstatsdPort] = ports;
    this.streamPath = streamPath;
    this.#program = program;
    this.#end = end;
  }

  static async start(): Promise<FuzzedPlatform> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-fuzz-'));
    const watchdog = new Watchdog(folder);
    const ports = await freePorts(3);
    const main = fileURLToPath(new URL('../../apps/tidemark/src/main.ts', import.meta.url));
    const streamPath = join(folder, 'dogstatsd.sock');
    const flags = {
      data: join(folder, 'data'),
      'http-port': ports[0],
      'grpc-port': ports[1],
      'dogstatsd-port': ports[2],
      'dogstatsd-stream-path': streamPath,
    };
    const options = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
    const program = new Program({
      name: 'platform',
      command: [process.execPath, main, 'start', ...options],
      environment: process.env,
      logFile: join(folder, 'log'),
      watchdog,
    });
    program.spawn();
    const end = async (): Promise<void> => {
      await program.kill();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      watchdog.close();
    };
    const platform = new FuzzedPlatform(program, ports, streamPath, end);
    try {
      await eventually('the platform to be ready', async () => (await fetch(`${platform.url}/readyz`)).ok);
      return platform;
    } catch (error) {
      await end();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  /** Throws unless the platform still runs and is ready. */
  async check(): Promise<void> {
    holds(this.#program.isRunning, () => `the platform ended with ${this.#program.ending}: ${this.#program.logTail()}`);
    const reply = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(READY_MS) });
    const text = await reply.text();
    holds(reply.ok, () => `the platform is not ready: ${reply.status} ${text}`);
  }

  end(): Promise<void> {
    return this.#end();
  }
}
