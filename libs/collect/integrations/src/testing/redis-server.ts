import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, Program, Watchdog } from '@tidemark/child-process';
import { type RedisProgram, redisProgram } from './redis-program.ts';

const START_MS = 30_000;
const POLL_MS = 20;
/** Start attempts: another process may occupy the chosen port before the server binds it. */
const ATTEMPTS = 3;

/** A real Redis server in a temporary folder of its own, without persistence. */
export class RedisServer extends Program {
  readonly port: number;
  readonly #folder: string;
  readonly #watchdog: Watchdog;

  private constructor(program: RedisProgram, port: number, folder: string, args: readonly string[]) {
    const watchdog = new Watchdog(folder);
    super({
      name: 'redis-server',
      command: [program.path, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...args],
      environment: program.environment,
      logFile: join(folder, 'output.log'),
      watchdog,
    });
    this.port = port;
    this.#folder = folder;
    this.#watchdog = watchdog;
  }

  /** Starts a server; `argumentsOf` adds arguments, given its port. Throws where there is no Redis (`redisSuite`). */
  static async start(argumentsOf: (port: number) => readonly string[] = plain): Promise<RedisServer> {
    const program = await redisProgram();
    if (typeof program === 'string') throw new Error(program);
    for (let attempt = 1; ; attempt++) {
      const [port] = await freePorts(1);
      const folder = await mkdtemp(join(tmpdir(), 'tidemark-redis-'));
      const server = new RedisServer(program, port, folder, argumentsOf(port));
      server.spawn();
      if (await server.#listens()) return server;
      const output = server.logTail();
      await server.stop();
      if (attempt === ATTEMPTS) throw new Error(`redis-server did not start: ${output}`);
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Kills the server and removes its folder. */
  override async stop(): Promise<void> {
    await this.kill();
    this.#watchdog.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listens(): Promise<boolean> {
    const endMs = performance.now() + START_MS;
    while (performance.now() < endMs && this.isRunning) {
      if (await canConnect(this.port)) return true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
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
