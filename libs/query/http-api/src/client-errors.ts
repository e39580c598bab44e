import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { rawAnswer } from './raw-answer.ts';

/** Limits of what a request is before it reaches a route. */
export interface ReceiveLimits {
  /** How long the head may take to arrive, ms. */
  readonly headMs: number;
  /** How long a whole request may take to arrive, ms. */
  readonly receiveMs: number;
  /** Size of the head, bytes. */
  readonly headBytes: number;
  /** Size of the URL, which is a part of the head, bytes. */
  readonly urlBytes: number;
}

/** Answers what the parser of HTTP refuses, and what did not arrive in time. The connection ends. */
export class ClientErrors {
  readonly #limits: ReceiveLimits;
  /** The newest response of each connection. */
  readonly #responses = new WeakMap<Socket, ServerResponse>();

  constructor(limits: ReceiveLimits) {
    this.#limits = limits;
  }

  /** Follows the responses of a server, so that none that has begun gets an answer in its middle. */
  watch(server: Server): void {
    server.on('request', ({ socket }, response) => this.#responses.set(socket, response));
  }

  /** Handles an error of a connection's parser, or the end of its time. */
  readonly onError = (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (socket.writable && !this.#isAnswered(socket)) socket.write(this.#answerTo(error));
    // Not later, when the answer has been read: a caller that reads nothing would keep the connection.
    socket.destroy(error);
  };

  #isAnswered(socket: Socket): boolean {
    const response = this.#responses.get(socket);
    if (response === undefined || !response.headersSent) return false;
    // A complete response to a complete request is of an earlier request on the connection.
    return !response.writableEnded || !response.req.complete;
  }

  #answerTo({ code }: NodeJS.ErrnoException): string {
    const { headMs, receiveMs, headBytes, urlBytes } = this.#limits;
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      // A process that was frozen or is loaded reads late what arrived in time, and checks the time before it reads. Senders
      // drop what is answered with 408, and repeat what is answered with 503. Nothing of the request was used.
      const limits = `${headMs} ms for its head, http.receiveMs, ${receiveMs} ms, for all of it`;
      return rawAnswer(503, {
        message: `request: not received in time (limit: ${limits}); retry`,
        code: 'unavailable',
        detail: { field: 'request', limit: receiveMs },
      });
    }
    if (code === 'HPE_HEADER_OVERFLOW') {
      return rawAnswer(431, {
        message: `head: too large (limit: ${headBytes} bytes, of which http.urlBytes, ${urlBytes})`,
        code: 'invalid_argument',
        detail: { field: 'head', limit: headBytes },
      });
    }
    return rawAnswer(400, { message: 'request: not HTTP/1.1', code: 'invalid_argument', detail: { field: 'request' } });
  }
}
