import type { HttpApiOptions } from '@tidemark/http-api';
import { connectionRefusal, httpApi } from '@tidemark/http-api';
import type { Clock, Events } from '@tidemark/ports';
import { Connections, GrpcServer, type GrpcServerOptions, HealthServer, HttpServer } from '@tidemark/server';
import type { Settings } from '@tidemark/settings';

/** How long a stop waits for requests in progress, ms. */
const SHUTDOWN_MS = 2000;

export interface ServerPorts {
  readonly clock: Clock;
  /** Receives a line for an address that can't be opened and that the process can do without, and for closed connections. */
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
  readonly #health: HealthServer | undefined;

  private constructor(http: HttpServer, grpc: GrpcServer, health: HealthServer | undefined) {
    this.#http = http;
    this.#grpc = grpc;
    this.#health = health;
  }

  /** Listens on all ports, or on none. Error: `unavailable` when a port is in use. */
  static async listen({ clock, events, protoFolder, http, grpc }: ServerPorts, settings: Settings): Promise<Servers> {
    const { host } = settings.listen;
    const { port: httpPort, healthPort, ...httpLimits } = settings.http;
    const { port: grpcPort, ...grpcLimits } = settings.grpc;
    const onProblem = (message: string): void => events.info(message);
    const report = { setting: 'http.connections', onProblem, refusal: connectionRefusal };
    const connections = new Connections(httpLimits.connections, clock, report);
    const onCaller = connections.admit.bind(connections);
    const app = httpApi({ ...http, clock, onCaller, limits: httpLimits });
    const httpServer = await HttpServer.listen(app, host, httpPort, clock, onProblem, connections);
    const notReady = http.notReady ?? (() => undefined);
    let health: HealthServer | undefined;
    try {
      if (healthPort >= 0) health = await HealthServer.listen({ host, port: healthPort, notReady });
      const options = { ...grpc, host, port: grpcPort, clock, limits: grpcLimits, protoFolder, onProblem };
      return new Servers(httpServer, await GrpcServer.listen(options), health);
    } catch (error) {
      await httpServer.close(0);
      await health?.close();
      throw error;
    }
  }

  get httpPort(): number {
    return this.#http.port;
  }

  /** The port of health checks alone; undefined when there is none. */
  get healthPort(): number | undefined {
    return this.#health?.port;
  }

  get grpcPort(): number {
    return this.#grpc.port;
  }

  /** Sets the answer of gRPC health checks. */
  setServing(isServing: boolean): void {
    this.#grpc.setServing(isServing);
  }

  /** Closes all servers at the same time, so that a server that waits for its clients does not delay the other. */
  async close(): Promise<void> {
    const closing = [this.#http.close(SHUTDOWN_MS), this.#grpc.close(SHUTDOWN_MS), this.#health?.close()];
    await Promise.allSettled(closing);
    await Promise.all(closing);
  }
}
