import { createServer, type Server as NetServer } from 'node:net';
import { type ConnectionInjector, Server, ServerCredentials, type ServerInterceptor, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { type Clock, ipv6LoopbackFor, ipv6LoopbackProblem } from '@tidemark/ports';
import { HealthImplementation } from 'grpc-health-check';
import { boundPort } from './bound-port.ts';
import { Connections } from './connections.ts';
import { type EndOfCall, GrpcConnections, type TenantOfCall } from './grpc-connections.ts';
import { quietGrpcLog } from './grpc-log.ts';
import { listenError } from './listen-error.ts';

const FILES = ['intake', 'query', 'control', 'process', 'snapshots'].map((name) => `tidemark/v1/${name}.proto`);

/** Bounds of the server. The services have bounds of their own for the contents of calls. */
export interface GrpcLimits {
  /** Open connections, a fourth of them without a known key; tenants share the others. */
  readonly connections: number;
  /** Concurrent calls and streams of one connection; a client waits above this. */
  readonly connectionStreams: number;
  /** Bytes of one response. */
  readonly sendBytes: number;
}

const DEFAULT_GRPC_LIMITS: GrpcLimits = {
  connections: 4000,
  connectionStreams: 1000,
  sendBytes: 64 * 1024 * 1024,
};

export interface GrpcServerOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly messageBytes: number;
  readonly limits?: Partial<GrpcLimits>;
  /** Called with the path of a call that was ended because a message was larger than `messageBytes`. */
  readonly onTooLarge?: (path: string) => void;
  /** TLS and client authentication; plain text without authentication when omitted. */
  readonly credentials?: ServerCredentials;
  readonly interceptors?: readonly ServerInterceptor[];
  /** Returns the tenant of the key of a call. All callers are one tenant when omitted, as in a cluster. */
  readonly tenantOf?: TenantOfCall;
  /** Folder of the contracts, for reflection. */
  readonly protoFolder: string;
  /** Called when the IPv6 loopback address cannot be opened; the server serves its host. */
  readonly onProblem?: (message: string) => void;
  /** Adds the services. */
  readonly register: (server: Server) => void;
}

interface GrpcServerParts {
  readonly health: HealthImplementation;
  readonly clock: Clock;
  readonly listening: readonly NetServer[];
  readonly connections: GrpcConnections;
  readonly port: number;
}

/** A gRPC server with the given services, health checks and reflection. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health: HealthImplementation;
  readonly #clock: Clock;
  readonly #listening: readonly NetServer[];
  readonly #connections: GrpcConnections;
  /** The port it listens on. */
  readonly port: number;

  private constructor(server: Server, parts: GrpcServerParts) {
    this.#server = server;
    this.#clock = parts.clock;
    this.#health = parts.health;
    this.#listening = parts.listening;
    this.#connections = parts.connections;
    this.port = parts.port;
  }

  /** Listens. Error: `unavailable` when the port is in use. */
  static async listen(options: GrpcServerOptions): Promise<GrpcServer> {
    quietGrpcLog();
    const { clock, credentials, tenantOf = () => ONE_TENANT } = options;
    const limits = { ...DEFAULT_GRPC_LIMITS, ...options.limits };
    const { onProblem = () => undefined } = options;
    const report = { setting: 'grpc.connections', onProblem };
    const connections = new GrpcConnections(new Connections(limits.connections, clock, report), tenantOf);
    // Flow-control windows stay HTTP/2's own 64 KiB, of a stream and of a connection: a server of grpc-js has no
    // option for others, so a caller that has not shown a key yet cannot fill more.
    const server = new Server({
      'grpc.max_receive_message_length': options.messageBytes,
      'grpc.max_send_message_length': limits.sendBytes,
      'grpc.max_concurrent_streams': limits.connectionStreams,
      interceptors: [
        connections.counted((path, ended) => {
          if (isTooLarge(ended)) options.onTooLarge?.(path);
        }),
        ...(options.interceptors ?? []),
        connections.admitted,
      ],
    });
    const health = new HealthImplementation({ '': 'NOT_SERVING' });
    health.addToServer(server);
    new ReflectionService(loadSync(FILES, { includeDirs: [options.protoFolder] })).addToServer(server);
    options.register(server);
    const injector = server.createConnectionInjector(credentials ?? ServerCredentials.createInsecure());
    const first = await listenAt(options.host, options.port, connections, injector).catch((error: unknown) => {
      throw listenError('gRPC', options.host, options.port, error);
    });
    const port = boundPort(first, options.port);
    const listening = [first];
    const second = ipv6LoopbackFor(options.host);
    if (second !== undefined) {
      await listenAt(second, port, connections, injector).then(
        (one) => listening.push(one),
        (error: unknown) => options.onProblem?.(ipv6LoopbackProblem('gRPC', port, error)),
      );
    }
    return new GrpcServer(server, { health, clock, listening, connections, port });
  }

  /** Sets whether health checks report that points and queries are served. */
  setServing(isServing: boolean): void {
    this.#health.setStatus('', isServing ? 'SERVING' : 'NOT_SERVING');
  }

  /** Ends open calls within `graceMs`, then cuts them. */
  async close(graceMs: number): Promise<void> {
    for (const one of this.#listening) one.close();
    const cut = this.#clock.setTimer(graceMs, () => {
      this.#server.forceShutdown();
      this.#connections.close();
    });
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
    });
    cut.cancel();
    this.#connections.close();
  }
}

/** The tenant of all callers of a server that has no tenants. */
const ONE_TENANT = 'all';

/** Listens at an address, and hands the connections that have a place to the gRPC server. */
function listenAt(
  host: string,
  port: number,
  connections: GrpcConnections,
  injector: ConnectionInjector,
): Promise<NetServer> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, (socket) => {
      // The gRPC server handles its errors from now on; this one covers a connection that is closed before.
      socket.on('error', () => undefined);
      connections.open(socket);
      if (!socket.destroyed) injector.injectConnection(socket);
    });
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: host === '::1' }, () => resolve(server));
  });
}

/** Returns true for the status of a call that was ended because a message was too large. */
function isTooLarge({ code, details }: EndOfCall): boolean {
  return code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(details ?? '');
}

/** The texts of grpc-js, for a message as received and for a decompressed message. */
const TOO_LARGE = /^Received message (larger than max|that decompresses to a size larger than)/;
