import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, ipv6LoopbackFor, ipv6LoopbackProblem } from '@tidemark/ports';
import { boundPort } from './bound-port.ts';
import { Connections, NEWCOMER_MS } from './connections.ts';
import { listenError } from './listen-error.ts';

interface Response {
  readonly shouldKeepAlive: boolean;
  setHeader(name: string, value: string): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** The methods of an HTTP application that the server calls: those of Fastify. */
interface HttpApplication {
  listen(options: { host: string; port: number }): Promise<string>;
  close(): PromiseLike<unknown>;
  readonly server: {
    address(): unknown;
    closeAllConnections(): void;
    emit(event: 'connection', socket: Socket): boolean;
    on(event: 'connection', listener: (socket: Socket) => void): unknown;
    prependListener(event: 'request', listener: (request: { socket: Socket }, response: Response) => void): unknown;
  };
}

/** For a server without a setting. */
const DEFAULT_CONNECTIONS = 1000;

/** An HTTP application that listens: on its host, and on the IPv6 loopback address where it serves the IPv4 one. */
export class HttpServer {
  readonly #app: HttpApplication;
  readonly #clock: Clock;
  readonly #second: Server | undefined;
  readonly port: number;

  private constructor(app: HttpApplication, clock: Clock, port: number, second: Server | undefined) {
    this.#app = app;
    this.#clock = clock;
    this.port = port;
    this.#second = second;
  }

  /**
   * Listens. Error: `unavailable` when the port is in use. An IPv6 loopback address that cannot be opened is reported to
   * `onProblem`. `connections` bounds the open connections; the application admits those whose caller it knows.
   */
  static async listen(
    app: HttpApplication,
    host: string,
    port: number,
    clock: Clock,
    onProblem: (message: string) => void = () => undefined,
    connections: Connections = new Connections(DEFAULT_CONNECTIONS, clock),
  ): Promise<HttpServer> {
    app.server.on('connection', (socket) => connections.open(socket));
    // Before the application's own listener, which may answer at once.
    app.server.prependListener('request', ({ socket }, response) => {
      connections.begin(socket);
      if (connections.isNewcomer(socket) && response.shouldKeepAlive) keepAliveFor(response, NEWCOMER_MS);
      response.once('close', () => connections.end(socket));
    });
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      throw listenError('HTTP', host, port, error);
    }
    const bound = boundPort(app.server, port);
    const second = await secondServer(app, host, bound).catch((error: unknown) => {
      onProblem(ipv6LoopbackProblem('HTTP', bound, error));
      return undefined;
    });
    return new HttpServer(app, clock, bound, second);
  }

  /** Ends open requests within `graceMs`, then cuts them. */
  async close(graceMs: number): Promise<void> {
    const cut = this.#clock.setTimer(graceMs, () => this.#app.server.closeAllConnections());
    const second = this.#second;
    const closed = second === undefined ? undefined : new Promise<void>((resolve) => second.close(() => resolve()));
    await this.#app.close();
    await closed;
    cut.cancel();
  }
}

/**
 * Says how long the connection is kept without a request, in place of the server's own time: a client that believes a
 * longer one sends its next request on a connection that is just being closed.
 */
function keepAliveFor(response: Response, ms: number): void {
  response.setHeader('connection', 'keep-alive');
  response.setHeader('keep-alive', `timeout=${ms / 1000}`);
}

/** Accepts connections at the IPv6 loopback address, and hands them to the application's own server. */
async function secondServer(app: HttpApplication, host: string, port: number): Promise<Server | undefined> {
  const second = ipv6LoopbackFor(host);
  if (second === undefined) return undefined;
  // The options of Node's own HTTP server.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    app.server.emit('connection', socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: second, port, ipv6Only: true }, resolve);
  });
  return server;
}
