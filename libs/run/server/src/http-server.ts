import type { Clock } from '@tidemark/ports';
import { listenError } from './listen-error.ts';

/** The methods of an HTTP application that the server calls: those of Fastify. */
interface HttpApplication {
  listen(options: { host: string; port: number }): Promise<string>;
  close(): PromiseLike<unknown>;
  readonly server: { address(): unknown; closeAllConnections(): void };
}

/** An HTTP application that listens. */
export class HttpServer {
  readonly #app: HttpApplication;
  readonly #clock: Clock;
  readonly port: number;

  private constructor(app: HttpApplication, clock: Clock, port: number) {
    this.#app = app;
    this.#clock = clock;
    this.port = port;
  }

  /** Listens. Error: `unavailable` when the port is in use. */
  static async listen(app: HttpApplication, host: string, port: number, clock: Clock): Promise<HttpServer> {
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      throw listenError('HTTP', host, port, error);
    }
    const address = app.server.address();
    const isBound = typeof address === 'object' && address !== null && 'port' in address;
    return new HttpServer(app, clock, isBound ? Number(address.port) : port);
  }

  /** Ends open requests within `graceMs`, then cuts them. */
  async close(graceMs: number): Promise<void> {
    const cut = this.#clock.setTimer(graceMs, () => this.#app.server.closeAllConnections());
    await this.#app.close();
    cut.cancel();
  }
}
