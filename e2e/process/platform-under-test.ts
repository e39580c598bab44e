import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { credentials, Metadata } from '@grpc/grpc-js';
import {
  ControlClient,
  type CreateKeyReply,
  type HealthReply,
  type MetricsReply,
  type PartitionStateHash,
  ProcessClient,
  QueryClient,
  type QueryReply,
  type StateHashReply,
  type StatusReply,
  type TagsReply,
} from '@tidemark/contract';
import { TidemarkError, type Topic } from '@tidemark/ports';
import { callUnary, runQuery } from '@tidemark/rpc';
import { eventually } from './eventually.ts';
import type { FromPlatform, PlatformEvent, PlatformSettings, ToPlatform } from './messages.ts';

const PROCESS = fileURLToPath(new URL('./platform-process.ts', import.meta.url));
const CLOCK_AHEAD = new URL('./clock-ahead.mjs', import.meta.url).href;
/** Folder of compiled code, which halves the time of a start. */
const ENVIRONMENT = {
  ...process.env,
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/e2e', import.meta.url)),
};

export interface LaunchOptions {
  /** Max size of a file that the process may write, bytes: acts like a full disk without root. */
  readonly largestFileBytes?: number;
  /** File with the ms by which the wall clock of the process is ahead. */
  readonly clockAheadFile?: string;
}

/** A running platform in a process of its own, and its APIs. */
export class PlatformUnderTest {
  readonly #child: ChildProcess;
  readonly #query: QueryClient;
  readonly #control: ControlClient;
  readonly #process: ProcessClient;
  readonly #appended: ((offset: number) => void)[] = [];
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly events: PlatformEvent[];
  readonly output: string[];

  private constructor(child: ChildProcess, ports: { httpPort: number; grpcPort: number }, received: Received) {
    this.#child = child;
    this.httpPort = ports.httpPort;
    this.grpcPort = ports.grpcPort;
    this.events = received.events;
    this.output = received.output;
    this.#query = new QueryClient(this.grpcAddress, credentials.createInsecure());
    this.#control = new ControlClient(this.grpcAddress, credentials.createInsecure());
    this.#process = new ProcessClient(this.grpcAddress, credentials.createInsecure());
    child.on('message', (message: FromPlatform) => {
      if (message.type === 'appended') this.#appended.shift()?.(message.offset);
    });
  }

  /** Starts a platform. Resolves when it accepts points and queries; throws its own error if it refuses to start. */
  static async start(settings: PlatformSettings, options: LaunchOptions = {}): Promise<PlatformUnderTest> {
    const child = launch(settings, options);
    const received = listen(child);
    const first = await new Promise<FromPlatform>((resolve, reject) => {
      child.on('message', (message: FromPlatform) => {
        if (message.type === 'ready' || message.type === 'refused') resolve(message);
      });
      child.once('exit', (code, signal) =>
        reject(new Error(`ended with ${code ?? signal}: ${received.output.join('')}`)),
      );
    });
    if (first.type === 'refused') {
      if (child.exitCode === null) await once(child, 'exit');
      throw new TidemarkError(first.code, first.message, first.detail);
    }
    if (first.type !== 'ready') throw new Error(`the first message is ${first.type}, expected ready`);
    const platform = new PlatformUnderTest(child, first, received);
    try {
      await eventually('the platform to be ready', async () => (await fetch(`${platform.httpUrl}/readyz`)).ok);
      return platform;
    } catch (error) {
      // The test has no reference to it yet, so only this can stop it.
      await platform.kill9();
      throw error;
    }
  }

  get grpcAddress(): string {
    return `127.0.0.1:${this.grpcPort}`;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  /** Kills it at once, like a power failure. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Freezes it: it keeps its connections but does not answer. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Lets files grow without limit again, like a disk that has space again (Linux). */
  async liftFileLimit(): Promise<void> {
    const { pid } = this.#child;
    await once(spawn('prlimit', [`--pid=${pid}`, '--fsize=unlimited'], { stdio: 'inherit' }), 'exit');
  }

  /** Stops it cleanly. */
  async stop(): Promise<void> {
    this.#send({ type: 'stop' });
    await this.#end();
    if (this.#child.exitCode !== 0) {
      throw new Error(`stopping ended with ${this.#child.exitCode ?? this.#child.signalCode}: ${this.output.join('')}`);
    }
  }

  /** Appends bytes to the log without the intake; returns their offset. */
  append(topic: Topic, partition: number, record: Uint8Array): Promise<number> {
    return new Promise((resolve) => {
      this.#appended.push(resolve);
      this.#send({ type: 'append', topic, partition, hex: Buffer.from(record).toString('hex') });
    });
  }

  query(query: string, fromMs: number, toMs: number, key?: string): Promise<QueryReply> {
    return runQuery(() => this.#query.run({ query, fromMs, toMs, variables: {} }, bearer(key)));
  }

  /** Returns the first answer that is complete through `toMs`. */
  queryComplete(query: string, fromMs: number, toMs: number, key?: string): Promise<QueryReply> {
    return eventually(`${query} to be complete through ${toMs}`, async () => {
      const reply = await this.query(query, fromMs, toMs, key);
      return (reply.completeThroughMs ?? Number.NEGATIVE_INFINITY) >= toMs && reply;
    });
  }

  async metrics(key?: string): Promise<string[]> {
    const request = { contains: '', fromMs: 0, limit: 1000 };
    const { metrics } = await callUnary<MetricsReply>((done) => this.#query.metrics(request, bearer(key), done));
    return metrics.map(({ metric }) => metric);
  }

  async tags(metric: string, key?: string): Promise<string[]> {
    const request = { metric, fromMs: 0, toMs: 0, limit: 1000 };
    const { keys } = await callUnary<TagsReply>((done) => this.#query.tags(request, bearer(key), done));
    return keys.flatMap(({ key: tag, top }) => top.map(({ value }) => `${tag}:${value}`)).sort();
  }

  health(): Promise<HealthReply> {
    return callUnary((done) => this.#process.health({}, bearer(undefined), done));
  }

  status(key?: string): Promise<StatusReply> {
    return callUnary((done) => this.#query.status({}, bearer(key), done));
  }

  async createKey(tenant: string, name: string, scopes: string[], as?: string): Promise<string> {
    const { key } = await callUnary<CreateKeyReply>((done) =>
      this.#control.createKey({ tenant, name, scopes }, bearer(as), done),
    );
    return key;
  }

  async skip(topic: string, partition: number, offset: number, reason: string, key?: string): Promise<void> {
    await callUnary((done) => this.#control.skip({ topic, partition, offset, reason }, bearer(key), done));
  }

  /** Returns the logical state hash of each partition, with its offsets. */
  async stateHashes(): Promise<PartitionStateHash[]> {
    const { partitions } = await callUnary<StateHashReply>((done) =>
      this.#control.stateHash({}, bearer(undefined), done),
    );
    return partitions;
  }

  async #end(signal?: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      if (signal !== undefined) this.#child.kill(signal);
      await ended;
    }
    this.#query.close();
    this.#process.close();
    this.#control.close();
  }

  #send(message: ToPlatform): void {
    this.#child.send(message);
  }
}

interface Received {
  readonly events: PlatformEvent[];
  readonly output: string[];
}

function launch(settings: PlatformSettings, { largestFileBytes, clockAheadFile }: LaunchOptions): ChildProcess {
  const argument = JSON.stringify(settings);
  if (clockAheadFile !== undefined) {
    const env = { ...ENVIRONMENT, TEST_CLOCK_AHEAD: clockAheadFile };
    return fork(PROCESS, [argument], { execArgv: ['--import', CLOCK_AHEAD], stdio: 'pipe', env });
  }
  if (largestFileBytes === undefined)
    return fork(PROCESS, [argument], { execArgv: [], stdio: 'pipe', env: ENVIRONMENT });
  // `ulimit -f` counts blocks of 512 bytes; `exec` replaces the shell by node, so that signals reach it. `-S` leaves the hard
  // limit, up to which `liftFileLimit` may raise it.
  const script = `ulimit -S -f ${Math.ceil(largestFileBytes / 512)} && exec "$@"`;
  return spawn('sh', ['-c', script, 'sh', process.execPath, PROCESS, argument], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: ENVIRONMENT,
  });
}

function listen(child: ChildProcess): Received {
  const received: Received = { events: [], output: [] };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => received.output.push(chunk.toString()));
  }
  child.on('message', (message: FromPlatform) => {
    if (message.type === 'event') received.events.push(message.event);
  });
  return received;
}

function bearer(key: string | undefined): Metadata {
  const metadata = new Metadata();
  if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
  return metadata;
}
