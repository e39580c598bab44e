import { TidemarkError } from '@tidemark/ports';
import { type DogStatsDServer, listenError, type Receiver, type ServerStatus, type SocketFiles } from './server.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';

/** The part of the npm package `unix-dgram` that is used; Node has no Unix datagram sockets of its own. */
export interface UnixDatagramModule {
  createSocket(type: 'unix_dgram', listener: (bytes: Uint8Array) => void): UnixDatagramSocket;
}

interface UnixDatagramSocket {
  on(event: 'error', listener: (error: Error) => void): unknown;
  bind(path: string): void;
  close(): void;
}

export interface UnixDatagramServerOptions {
  readonly path: string;
  readonly limits: DogStatsDLimits;
  /** Removes the socket file before binding, because it outlives its process, and after closing. */
  readonly files: SocketFiles;
  /** Loads the native, optional module. A failure to load is reported as `unimplemented`. */
  readonly load?: () => Promise<UnixDatagramModule>;
}

/** DogStatsD over a Unix datagram socket, where `unix-dgram` is installed. */
export class UnixDatagramServer implements DogStatsDServer {
  readonly #socket: UnixDatagramSocket;
  readonly #options: UnixDatagramServerOptions;
  #received = 0;
  #receivedBytes = 0;
  #reason: string | undefined;
  #closed = false;

  private constructor(module: UnixDatagramModule, receiver: Receiver, options: UnixDatagramServerOptions) {
    this.#options = options;
    this.#socket = module.createSocket('unix_dgram', (bytes) => {
      this.#received++;
      this.#receivedBytes += bytes.length;
      if (bytes.length > options.limits.datagramBytes) receiver.refused('datagram_bytes_limit');
      else receiver.parse(bytes);
    });
    this.#socket.on('error', (error) => {
      this.#reason = error.message;
    });
  }

  /** Opens the socket. Throws `unimplemented` when the module cannot be loaded, else as the other servers. */
  static async listen(receiver: Receiver, options: UnixDatagramServerOptions): Promise<UnixDatagramServer> {
    const module = await (options.load ?? loadUnixDatagram)().catch((error: unknown) => {
      const message =
        'Unix datagram sockets need the optional package unix-dgram: install it, or use the stream socket or UDP';
      throw new TidemarkError('unimplemented', message, { address: options.path }, { cause: error });
    });
    if (await options.files.isSocket(options.path)) await options.files.remove(options.path);
    const server = new UnixDatagramServer(module, receiver, options);
    try {
      server.#socket.bind(options.path);
    } catch (error) {
      throw listenError(options.path, error);
    }
    if (server.#reason !== undefined) {
      server.#socket.close();
      throw listenError(options.path, Object.assign(new Error(server.#reason), { code: server.#reason }));
    }
    return server;
  }

  async status(): Promise<ServerStatus> {
    return {
      transport: 'unix-datagram',
      address: this.#options.path,
      listening: !this.#closed,
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    const { files, path } = this.#options;
    if (await files.isSocket(path)) await files.remove(path);
  }
}

async function loadUnixDatagram(): Promise<UnixDatagramModule> {
  // In a variable, because it is not a dependency and bundlers must not resolve it.
  const name = 'unix-dgram';
  const loaded: { default: UnixDatagramModule } = await import(name);
  return loaded.default;
}
