import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, Program, Watchdog } from '@tidemark/child-process';
import { TidemarkError } from '@tidemark/ports';
import { gatewayProgram } from './gateway-program.ts';

const START_MS = 60_000;
const POLL_MS = 20;
const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'testaccess', secretAccessKey: 'testsecret-of-the-server' };

/** A real server with the S3 API on this machine: versitygw over a temporary folder. */
export class S3Server {
  readonly endpoint: string;
  readonly region = REGION;
  readonly credentials = CREDENTIALS;
  readonly #program: Program;
  readonly #folder: string;
  readonly #watchdog: Watchdog;

  private constructor(endpoint: string, program: Program, folder: string, watchdog: Watchdog) {
    this.endpoint = endpoint;
    this.#program = program;
    this.#folder = folder;
    this.#watchdog = watchdog;
  }

  /**
   * Starts a server and waits until it answers. Throws as `gatewayProgram` does, and `unavailable` when it does not start.
   * It ends with this process, and its folder is removed.
   */
  static async start(): Promise<S3Server> {
    const path = await gatewayProgram();
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-s3-'));
    const watchdog = new Watchdog(folder);
    const [port] = await freePorts(1);
    for (const name of ['root', 'iam']) await mkdir(join(folder, name));
    // Without a folder of accounts an unknown access key would be 404, not 403 as Amazon's.
    const flags = [
      '--region',
      REGION,
      '--keep-alive',
      '--quiet',
      '--iam-dir',
      join(folder, 'iam'),
      '--health',
      '/health',
    ];
    const program = new Program({
      name: 'S3 server',
      command: [path, '--port', `127.0.0.1:${port}`, ...flags, 'posix', join(folder, 'root')],
      environment: {
        ...process.env,
        ROOT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      },
      logFile: join(folder, 'log'),
      watchdog,
    });
    const server = new S3Server(`http://127.0.0.1:${port}`, program, folder, watchdog);
    program.spawn();
    try {
      await server.#ready();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Makes a bucket, which is a folder of the server. */
  async makeBucket(name: string): Promise<void> {
    await mkdir(join(this.#folder, 'root', name));
  }

  /** Removes a bucket with its objects, behind the server's back. */
  async removeBucket(name: string): Promise<void> {
    await rm(join(this.#folder, 'root', name), { recursive: true });
  }

  /** Path of an object's file, to damage it. */
  fileOf(bucket: string, key: string): string {
    return join(this.#folder, 'root', bucket, key);
  }

  async close(): Promise<void> {
    await this.#program.kill();
    await rm(this.#folder, { recursive: true, force: true });
    this.#watchdog.close();
  }

  async #ready(): Promise<void> {
    const deadlineMs = performance.now() + START_MS;
    for (;;) {
      if (await this.#isHealthy()) return;
      if (!this.#program.isRunning || performance.now() > deadlineMs) {
        const message = `the S3 server did not start within ${START_MS} ms; its last log lines:\n${this.#program.logTail()}`;
        throw new TidemarkError('unavailable', message);
      }
      await delay(POLL_MS);
    }
  }

  async #isHealthy(): Promise<boolean> {
    try {
      return (await fetch(`${this.endpoint}/health`)).ok;
    } catch {
      return false;
    }
  }
}
