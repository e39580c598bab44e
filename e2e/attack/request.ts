import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Sent {
  readonly httpPort: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** POSTs it; GET without a body. */
  readonly body?: Buffer;
}

/** How long an attacker waits after it got no answer, ms: it must not spend the processor on its own errors. */
const REFUSED_MS = 20;

/** Sends one request over a connection of its own; resolves when it was answered, refused or aborted. */
export function requestUntil(signal: AbortSignal, { httpPort, path, headers, body }: Sent): Promise<void> {
  const method = body === undefined ? 'GET' : 'POST';
  const options = { host: '127.0.0.1', port: httpPort, method, path, agent: false as const, signal };
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const sent = request({ ...options, headers: { ...headers, ...length } }, (reply) => {
      reply.resume();
      reply.on('close', () => resolve());
    });
    sent.on('error', () => void delay(REFUSED_MS).then(resolve));
    sent.end(body);
  });
}
