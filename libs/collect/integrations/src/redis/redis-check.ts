import type { RedisClientOptions } from '@redis/client';
import { type Check, type CheckSink, Rates } from '@tidemark/checks';
import { hash128 } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { within } from '../deadline.ts';
import type { IntegrationPorts } from '../ports.ts';
import { parseInfo } from './redis-info.ts';
import { DEFAULT_REDIS_INSTANCE, endpointOf, type RedisInstance, redisTags } from './redis-instance.ts';
import { reportInfo } from './redis-metrics.ts';

type CreateClient = typeof import('@redis/client').createClient;

/** No modules, functions or scripts. */
type None = Record<string, never>;

/** The part of a client that is used. */
interface RedisConnection {
  readonly isReady: boolean;
  sendCommand(args: readonly string[]): Promise<unknown>;
  destroy(): void;
}

/** The state of a Redis server: `INFO`, once per interval, over a persistent connection. */
export class RedisCheck implements Check {
  readonly name: string;
  readonly everyMs: number;
  readonly phaseMs: number;
  readonly #instance: RedisInstance;
  readonly #ports: IntegrationPorts;
  readonly #timeoutMs: number;
  readonly #tags: readonly string[];
  readonly #rates = new Rates();
  #connection: RedisConnection | undefined;
  #detail: Record<string, string | number> = {};

  /** Throws `invalid_argument` for a malformed address. */
  constructor(instance: RedisInstance, ports: IntegrationPorts) {
    const { address, intervalMs = DEFAULT_REDIS_INSTANCE.intervalMs } = instance;
    this.#instance = instance;
    this.#ports = ports;
    this.#tags = redisTags(instance);
    this.#timeoutMs = Math.min(instance.timeoutMs ?? DEFAULT_REDIS_INSTANCE.timeoutMs, intervalMs);
    this.name = `redis ${address}`;
    this.everyMs = intervalMs;
    this.phaseMs = hash128(Buffer.from(this.name)).readUInt32LE(0) % intervalMs;
  }

  async run(sink: CheckSink, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    // Loaded here, before the timeout starts: an agent without Redis checks never loads it.
    const { createClient } = await import('@redis/client');
    try {
      const startMs = clock.monotonicMs();
      const info = await within(clock, this.#timeoutMs, signal, this.#ask(createClient));
      const tags = info.has('role') ? [...this.#tags, `redis_role:${info.get('role')}`] : this.#tags;
      this.#rates.begin(clock.monotonicMs());
      const over = reportInfo(info, { sink, tags, rates: this.#rates });
      sink.gauge('redis.info.latency_ms', clock.monotonicMs() - startMs, tags);
      sink.gauge('redis.can_connect', 1, this.#tags);
      this.#detail = { version: info.get('redis_version') ?? 'unknown', role: info.get('role') ?? 'unknown' };
      if (over > 0) this.#detail.over_limit = over;
    } catch (error) {
      this.#detail = {};
      this.#drop();
      if (!signal.aborted) sink.gauge('redis.can_connect', 0, this.#tags);
      throw error;
    }
  }

  detail(): Readonly<Record<string, string | number>> {
    return this.#detail;
  }

  async close(): Promise<void> {
    this.#drop();
  }

  async #ask(createClient: CreateClient): Promise<ReadonlyMap<string, string>> {
    const connection = this.#connection?.isReady === true ? this.#connection : await this.#connect(createClient);
    const info = new Map(parseInfo(textOf(await connection.sendCommand(['INFO']))));
    if (this.#instance.commandStats === true) {
      const stats = parseInfo(textOf(await connection.sendCommand(['INFO', 'commandstats'])));
      for (const [name, value] of stats) info.set(name, value);
    }
    if (!info.has('maxclients')) {
      // Older servers report it only in `CONFIG`, which a user may not be permitted to read.
      const config = await connection.sendCommand(['CONFIG', 'GET', 'maxclients']).catch(() => []);
      if (Array.isArray(config) && config.length === 2) info.set('maxclients', String(config[1]));
    }
    return info;
  }

  async #connect(createClient: CreateClient): Promise<RedisConnection> {
    this.#drop();
    const options = await this.#options();
    const client = createClient(options);
    // The pending command rejects with the same error.
    client.on('error', () => undefined);
    const connection: RedisConnection = {
      get isReady() {
        return client.isReady;
      },
      sendCommand: (args) => client.sendCommand(args),
      destroy: () => client.destroy(),
    };
    this.#connection = connection;
    await client.connect();
    return connection;
  }

  async #options(): Promise<RedisClientOptions<None, None, None, 2>> {
    const { user = '', passwordFile = '', caFile = '', tls = false } = this.#instance;
    const { readText } = this.#ports;
    const password = passwordFile === '' ? undefined : (await readText(passwordFile)).trim();
    const ca = caFile === '' ? undefined : await readText(caFile);
    const endpoint = endpointOf(this.#instance);
    // After a failed run the next interval's run opens a new connection.
    const socket = { connectTimeout: this.#timeoutMs, reconnectStrategy: false } as const;
    return {
      socket:
        'path' in endpoint
          ? { ...socket, path: endpoint.path, tls: false }
          : { ...socket, ...endpoint, ...(tls ? { tls: true, ...(ca === undefined ? {} : { ca }) } : {}) },
      ...(user === '' ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      // The protocol version that every Redis supports.
      RESP: 2,
      disableClientInfo: true,
      disableOfflineQueue: true,
      commandsQueueMaxLength: 8,
    };
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      connection?.destroy();
    } catch {
      // It is already closed.
    }
  }
}

function textOf(reply: unknown): string {
  if (typeof reply === 'string') return reply;
  throw new TidemarkError('unavailable', 'the reply to INFO is not text; check that the address is a Redis server');
}
