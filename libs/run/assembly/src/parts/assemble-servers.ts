import type { HttpApiOptions } from '@tidemark/http-api';
import { httpApi } from '@tidemark/http-api';
import type { Clock, Events } from '@tidemark/ports';
import { Connections, GrpcServer, type GrpcServerOptions, HttpServer } from '@tidemark/server';
import type { Settings } from '@tidemark/settings';

/** How long a stop waits for requests in progress, ms. */
const SHUTDOWN_MS = 2000;

export interface ServerPorts {
  readonly clock: Clock;
  /** Receives a line for an address that cannot be opened and that the process can do without. */
  readonly events: Pick<Events, 'info'>;
  /** Folder of the contracts, for gRPC reflection. */
  readonly protoFolder: string;
  readonly http: Omit<HttpApiOptions, 'clock' | 'limits'>;
  readonly grpc: Pick<
    GrpcServerOptions,
    'messageBytes' | 'onTooLarge' | 'tenantOf' | 'credentials' | 'interceptors' | 'register'
  >;
}

/** The HTTP and gRPC servers of a process, on the ports of its settings. */
export class Servers {
  readonly #http: HttpServer;
  readonly #grpc: GrpcServer;

  private constructor(http: HttpServer, grpc: GrpcServer) {
    this.#http = http;
    this.#grpc = grpc;
  }

  /** Listens on both ports, or on neither. Error: `unavailable` when a port is in use. */
  static async listen({ clock, events, protoFolder, http, grpc }: ServerPorts, settings: Settings): Promise<Servers> {
    const { host } = settings.listen;
    const { port: httpPort, ...httpLimits } = settings.http;
    const { port: grpcPort, ...grpcLimits } = settings.grpc;
    const connections = new Connections(httpLimits.connections, clock);
    const onCaller = connections.admit.bind(connections);
    const app = httpApi({ ...http, clock, onCaller, limits: httpLimits });
    const onProblem = (message: string): void => events.info(message);
    const httpServer = await HttpServer.listen(app, host, httpPort, clock, onProblem, connections);
    try {
      const options = { ...grpc, host, port: grpcPort, clock, limits: grpcLimits, protoFolder, onProblem };
      return new Servers(httpServer, await GrpcServer.listen(options));
    } catch (error) {
      await httpServer.close(0);
      throw error;
    }
  }

  get httpPort(): number {
    return this.#http.port;
  }

  get grpcPort(): number {
    return this.#grpc.port;
  }

  /** Sets the answer of gRPC health checks. */
  setServing(isServing: boolean): void {
    this.#grpc.setServing(isServing);
  }

  /** Closes both servers at the same time, so that a server that waits for its clients does not delay the other. */
  async close(): Promise<void> {
    const closing = [this.#http.close(SHUTDOWN_MS), this.#grpc.close(SHUTDOWN_MS)];
    await Promise.allSettled(closing);
    await Promise.all(closing);
  }
}
