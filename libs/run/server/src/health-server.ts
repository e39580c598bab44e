import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { boundPort } from './bound-port.ts';
import { listenError } from './listen-error.ts';

/** Open connections; a new one takes the place of the oldest. */
const CONNECTIONS = 64;
/** How long a request may take to arrive, and how often this is checked, ms. */
const RECEIVE_MS = 2000;
const CHECK_MS = 500;
const HEADER_BYTES = 4096;

export interface HealthServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Why the process can't serve; undefined when it can. */
  readonly notReady: () => string | undefined;
}

/**
 * Answers `/healthz` and `/readyz`, and nothing else, on a port of its own: connections to the other ports, however many,
 * take no place from it. An answer ends its connection. The reason for not being ready is left to the other port, which
 * knows operators.
 */
export class HealthServer {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Listens. Error: `unavailable` when the port is in use. */
  static async listen({ host, port, notReady }: HealthServerOptions): Promise<HealthServer> {
    const timeouts = { headersTimeout: RECEIVE_MS, requestTimeout: RECEIVE_MS, connectionsCheckingInterval: CHECK_MS };
    const server = createServer({ ...timeouts, maxHeaderSize: HEADER_BYTES }, ({ url = '', method = '' }, response) => {
      const status = statusOf(method, url, notReady);
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      response.end(status === 200 ? '{"status":"ok"}' : ANSWERS[status]);
    });
    const open = new Set<Socket>();
    server.on('connection', (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      for (const oldest of open) {
        if (open.size <= CONNECTIONS) break;
        open.delete(oldest);
        oldest.destroy();
      }
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError('health', host, port, error)));
      server.listen({ host, port }, resolve);
    });
    return new HealthServer(server, boundPort(server, port));
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

const ANSWERS: Readonly<Record<number, string>> = {
  404: '{"errors":["only /healthz and /readyz are on this port"],"code":"not_found"}',
  405: '{"errors":["only GET and HEAD are known here"],"code":"unimplemented"}',
  503: '{"errors":["not ready; operators see the reason on the HTTP port"],"code":"unavailable"}',
};

function statusOf(method: string, url: string, notReady: () => string | undefined): number {
  if (method !== 'GET' && method !== 'HEAD') return 405;
  const path = url.split('?', 1)[0];
  if (path === '/healthz') return 200;
  if (path !== '/readyz') return 404;
  return notReady() === undefined ? 200 : 503;
}
