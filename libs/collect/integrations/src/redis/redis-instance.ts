import { TidemarkError } from '@tidemark/ports';

/** A Redis server to check. */
export interface RedisInstance {
  /** `host:port`, or the path of a Unix socket. */
  readonly address: string;
  /** Further tags of its metrics. */
  readonly tags?: readonly string[];
  readonly intervalMs?: number;
  /** Timeout of a whole run, ms; capped at the interval. */
  readonly timeoutMs?: number;
  /** A user of the server's ACLs; without it, the password is that of `requirepass`. */
  readonly user?: string;
  /** A file with the password, read at each connection. */
  readonly passwordFile?: string;
  readonly tls?: boolean;
  /** A file with certificates to trust instead of the system's, PEM, read at each connection. */
  readonly caFile?: string;
  /** True to report calls and times of each command, too. */
  readonly commandStats?: boolean;
}

export const DEFAULT_REDIS_INSTANCE = { intervalMs: 15_000, timeoutMs: 5_000 } as const;

/** Where a server listens. */
export type RedisEndpoint = { readonly path: string } | { readonly host: string; readonly port: number };

/** Parses the address. Throws `invalid_argument` when it is neither `host:port` nor a path. */
export function endpointOf({ address }: RedisInstance): RedisEndpoint {
  if (address.startsWith('/')) return { path: address };
  const found = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]@]+)):(\d{1,5})$/i.exec(address);
  const port = Number(found?.[3]);
  if (found === null || port < 1 || port > 65_535) {
    const message = `redis address ${address.slice(0, 80)} (limit: host:port, or the path of a Unix socket)`;
    throw new TidemarkError('invalid_argument', message, { field: 'address' });
  }
  return { host: found[1] ?? found[2], port };
}

/** Returns the tags that identify an instance, as in Datadog's agent. */
export function redisTags(instance: RedisInstance): readonly string[] {
  const endpoint = endpointOf(instance);
  const own =
    'path' in endpoint
      ? [`redis_host:${endpoint.path}`, 'redis_port:unix_socket']
      : [`redis_host:${endpoint.host}`, `redis_port:${endpoint.port}`];
  return [...own, ...(instance.tags ?? [])];
}
