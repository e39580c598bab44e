import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { systemCode } from '@tidemark/ports';
import { type DogStatsDServer, listenError, type Receiver, type ServerStatus, type SocketFiles } from './server.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';
import { StreamFraming } from './stream-framing.ts';

export interface UnixStreamServerOptions {
  readonly path: string;
  readonly limits: DogStatsDLimits;
  /** Replaces a socket file that a crashed process left. */
  readonly files: SocketFiles;
}

/** DogStatsD over a Unix stream socket, length-prefixed or in lines (`StreamFraming`). */
export class UnixStreamServer implements DogStatsDServer {
  readonly #server: Server;
  readonly #receiver: Receiver;
  readonly #options: UnixStreamServerOptions;
  readonly #connections = new Set<Socket>();
  #received = 0;
  #receivedBytes = 0;
  #reason: string | undefined;

  private constructor(receiver: Receiver, options: UnixStreamServerOptions) {
    this.#receiver = receiver;
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Opens the socket. Throws `failed_precondition` (socket in use), `permission_denied`, `unavailable`. */
  static async listen(receiver: Receiver, options: UnixStreamServerOptions): Promise<UnixStreamServer> {
    const server = new UnixStreamServer(receiver, options);
    try {
      await server.#listen();
    } catch (error) {
      if (!(await isStale(options, error))) throw listenError(options.path, error);
      await options.files.remove(options.path);
      await server.#listen().catch((again: unknown) => {
        throw listenError(options.path, again);
      });
    }
    server.#server.on('error', (error) => {
      server.#reason = error.message;
    });
    return server;
  }

  async status(): Promise<ServerStatus> {
    return {
      transport: 'unix-stream',
      address: this.#options.path,
      listening: this.#server.listening,
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  /** Stops listening, reads the bytes that open connections have already sent, and ends them. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ path: this.#options.path, writableAll: true }, () => {
        this.#server.removeListener('error', reject);
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#options.limits.connections) {
      this.#receiver.refused('connections_limit');
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    const framing = new StreamFraming(this.#receiver, this.#options.limits);
    let counted = 0;
    const count = (): void => {
      this.#received += framing.received - counted;
      counted = framing.received;
    };
    socket.on('data', (chunk) => {
      this.#receivedBytes += chunk.length;
      const isFramed = framing.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      count();
      if (!isFramed) socket.destroy();
    });
    // A peer may disconnect in the middle of a line: its complete lines are kept.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      framing.end();
      count();
      this.#connections.delete(socket);
    });
  }
}

/** Returns true when the path is a socket without a listening process. The system refuses any other file itself. */
async function isStale({ path, files }: UnixStreamServerOptions, error: unknown): Promise<boolean> {
  if (systemCode(error) !== 'EADDRINUSE' || !(await files.isSocket(path))) return false;
  return await new Promise((resolve) => {
    const probe = createConnection({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (failure) => resolve(systemCode(failure) === 'ECONNREFUSED'));
  });
}
