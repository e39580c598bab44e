import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What happens to a request: `slow-down` answers 503 without forwarding it, `reset` closes the connection before that,
 * `lost-reply` after it, `cut` sends half of the reply's body and closes the connection, `hang` never answers.
 */
export type S3Fault = 'slow-down' | 'reset' | 'lost-reply' | 'cut' | 'hang';

export type PickFault = (request: { readonly method: string; readonly path: string }) => S3Fault | undefined;

const SLOW_DOWN = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

/** A proxy before an S3 server that injects faults. Requests keep their `Host`, which is part of their signature. */
export class S3FaultProxy {
  readonly endpoint: string;
  /** Picks the fault of a request; the default picks none. */
  pick: PickFault = () => undefined;
  /** Number of times that each fault happened. */
  readonly counts = new Map<S3Fault, number>();
  readonly #server: Server;
  readonly #target: URL;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, reply) => this.#handle(incoming, reply));
  }

  static async open(target: string): Promise<S3FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new S3FaultProxy(server, new URL(target));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(incoming: IncomingMessage, reply: ServerResponse): void {
    const { method = 'GET', url: path = '/' } = incoming;
    const fault = this.pick({ method, path });
    if (fault !== undefined) this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    if (fault === 'hang') return;
    if (fault === 'reset') {
      incoming.socket.destroy();
      return;
    }
    if (fault === 'slow-down') {
      incoming.resume();
      incoming.once('end', () => reply.writeHead(503, { 'content-type': 'application/xml' }).end(SLOW_DOWN));
      return;
    }
    this.#forward(incoming, reply, fault);
  }

  #forward(incoming: IncomingMessage, reply: ServerResponse, fault: 'lost-reply' | 'cut' | undefined): void {
    const { hostname, port } = this.#target;
    const { method, url, rawHeaders } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers: rawHeaders }, (answer) => {
      if (fault === undefined) {
        reply.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
        answer.pipe(reply);
        return;
      }
      const parts: Buffer[] = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        if (fault === 'lost-reply') {
          incoming.socket.destroy();
          return;
        }
        const body = Buffer.concat(parts);
        reply.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
        reply.write(body.subarray(0, body.length >> 1), () => incoming.socket.destroy());
      });
    });
    outgoing.on('error', () => incoming.socket.destroy());
    incoming.pipe(outgoing);
  }
}
