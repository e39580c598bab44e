import { Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { type Clock, ipv6LoopbackFor, ipv6LoopbackProblem } from '@tidemark/ports';
import { HealthImplementation } from 'grpc-health-check';
import { quietGrpcLog } from './grpc-log.ts';
import { listenError } from './listen-error.ts';

const FILES = ['intake', 'query', 'control', 'process'].map((name) => `tidemark/v1/${name}.proto`);

/** Bounds of the server. The services have bounds of their own for the contents of calls. */
export interface GrpcLimits {
  /** Concurrent calls and streams of one connection; a client waits above this. */
  readonly connectionStreams: number;
  /** Bytes of one response. */
  readonly sendBytes: number;
}

const DEFAULT_GRPC_LIMITS: GrpcLimits = { connectionStreams: 1000, sendBytes: 64 * 1024 * 1024 };

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
  /** Folder of the contracts, for reflection. */
  readonly protoFolder: string;
  /** Called when the IPv6 loopback address cannot be opened; the server serves its host. */
  readonly onProblem?: (message: string) => void;
  /** Adds the services. */
  readonly register: (server: Server) => void;
}

/** A gRPC server with the given services, health checks and reflection. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health: HealthImplementation;
  readonly #clock: Clock;
  /** The port it listens on. */
  readonly port: number;

  private constructor(server: Server, health: HealthImplementation, clock: Clock, port: number) {
    this.#server = server;
    this.#clock = clock;
    this.#health = health;
    this.port = port;
  }

  /** Listens. Error: `unavailable` when the port is in use. */
  static async listen(options: GrpcServerOptions): Promise<GrpcServer> {
    quietGrpcLog();
    const { connectionStreams, sendBytes } = { ...DEFAULT_GRPC_LIMITS, ...options.limits };
    // Flow-control windows stay HTTP/2's own 64 KiB, of a stream and of a connection: a server of grpc-js has no
    // option for others, so a caller that has not shown a key yet cannot fill more.
    const server = new Server({
      'grpc.max_receive_message_length': options.messageBytes,
      'grpc.max_send_message_length': sendBytes,
      'grpc.max_concurrent_streams': connectionStreams,
      interceptors: [reportTooLarge(options.onTooLarge ?? (() => undefined)), ...(options.interceptors ?? [])],
    });
    const health = new HealthImplementation({ '': 'NOT_SERVING' });
    health.addToServer(server);
    new ReflectionService(loadSync(FILES, { includeDirs: [options.protoFolder] })).addToServer(server);
    options.register(server);
    const port = await bind(server, options, options.host, options.port).catch((error: unknown) => {
      throw listenError('gRPC', options.host, options.port, error);
    });
    const second = ipv6LoopbackFor(options.host);
    if (second !== undefined) {
      await bind(server, options, second, port).catch((error: unknown) => {
        options.onProblem?.(ipv6LoopbackProblem('gRPC', port, error));
      });
    }
    return new GrpcServer(server, health, options.clock, port);
  }

  /** Sets whether health checks report that points and queries are served. */
  setServing(isServing: boolean): void {
    this.#health.setStatus('', isServing ? 'SERVING' : 'NOT_SERVING');
  }

  /** Ends open calls within `graceMs`, then cuts them. */
  async close(graceMs: number): Promise<void> {
    const cut = this.#clock.setTimer(graceMs, () => this.#server.forceShutdown());
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
    });
    cut.cancel();
  }
}

/** Listens at one more address; resolves with the port. */
function bind(server: Server, { credentials }: GrpcServerOptions, host: string, port: number): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials ?? ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
}

/**
 * Reports messages that are too large. grpc-js refuses such a message before any handler or listener of an interceptor
 * receives it, and sends the status by the innermost call's own method, so the interceptor wraps that method.
 */
function reportTooLarge(onTooLarge: (path: string) => void): ServerInterceptor {
  return ({ path }, call) => {
    const send = call.sendStatus.bind(call);
    call.sendStatus = (ended) => {
      const isTooLarge = ended.code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(ended.details ?? '');
      if (isTooLarge) onTooLarge(path);
      send(ended);
    };
    return new ServerInterceptingCall(call);
  };
}

/** The texts of grpc-js, for a message as received and for a decompressed message. */
const TOO_LARGE = /^Received message (larger than max|that decompresses to a size larger than)/;
