import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@tidemark/child-process';
import { redisProgram } from './redis-program.ts';

const START_MS = 30_000;
/** Ports are picked before they are used: somebody else may be faster. */
const ATTEMPTS = 3;

/** A real Redis server in a folder of its own, without persistence. */
export class RedisServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, port: number, folder: string) {
    this.#child = child;
    this.port = port;
    this.#folder = folder;
  }

  /** Starts one with further arguments of its command line, made of its port; see `redisSuite` for where there is none. */
  static async start(argumentsOf: (port: number) => readonly string[] = plain): Promise<RedisServer> {
    const program = await redisProgram();
    if (typeof program === 'string') throw new Error(program);
    for (let attempt = 1; ; attempt++) {
      const [port] = await freePorts(1);
      const folder = await mkdtemp(join(tmpdir(), 'tidemark-redis-'));
      const args = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...argumentsOf(port)];
      const child = spawn(program.path, args, { env: { ...program.environment }, stdio: ['ignore', 'pipe', 'pipe'] });
      const server = new RedisServer(child, port, folder);
      const output: string[] = [];
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)));
      if (await server.#listens()) return server;
      await server.stop();
      if (attempt === ATTEMPTS) throw new Error(`redis-server did not start: ${output.join('').slice(-2_000)}`);
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Stops it where it is: it accepts connections and answers nothing. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Kills it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listens(): Promise<boolean> {
    const endMs = performance.now() + START_MS;
    while (performance.now() < endMs && this.#child.exitCode === null) {
      if (await canConnect(this.port)) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }
}

function plain(port: number): readonly string[] {
  return ['--port', String(port)];
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (can: boolean): void => {
      socket.destroy();
      resolve(can);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}
