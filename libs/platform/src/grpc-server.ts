import { Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { type Clock, TidemarkError } from '@tidemark/ports';
import { HealthImplementation } from 'grpc-health-check';

const WINDOW_BYTES = 16 * 1024 * 1024;
const FILES = ['intake', 'query', 'control'].map((name) => `tidemark/v1/${name}.proto`);

export interface GrpcServerOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly messageBytes: number;
  /** Folder of the contracts, for reflection. */
  readonly protoFolder: string;
  /** Adds the services. */
  readonly register: (server: Server) => void;
}

/** A gRPC server with health and reflection beside the services. */
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

  /** Listens; `unavailable` when the port is taken. */
  static async listen(options: GrpcServerOptions): Promise<GrpcServer> {
    const server = new Server({
      'grpc.max_receive_message_length': options.messageBytes,
      'grpc.max_send_message_length': 64 * 1024 * 1024,
      'grpc-node.flow_control_window': WINDOW_BYTES,
    });
    const health = new HealthImplementation({ '': 'NOT_SERVING' });
    health.addToServer(server);
    new ReflectionService(loadSync(FILES, { includeDirs: [options.protoFolder] })).addToServer(server);
    options.register(server);
    const port = await new Promise<number>((resolve, reject) => {
      const host = options.host.includes(':') ? `[${options.host}]` : options.host;
      server.bindAsync(`${host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(listenError(options, error));
      });
    });
    return new GrpcServer(server, health, options.clock, port);
  }

  /** Says to health checks whether points and queries are served. */
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

function listenError({ host, port }: GrpcServerOptions, error: Error): TidemarkError {
  const reason = error.message.includes('EADDRINUSE')
    ? 'is in use by another program'
    : `can't be taken: ${error.message}`;
  return new TidemarkError('unavailable', `gRPC port ${port} on ${host} ${reason}`, { setting: 'grpc.port', port });
}
