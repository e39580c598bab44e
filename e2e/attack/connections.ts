import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from './attack.ts';

const SLOW = 200;
const MANY = 1500;
const ODD = 10;
const DRIP_MS = 1000;
const BODY_BYTES = 8 * 1024 * 1024;

/** Connections that are kept open without a request, at the HTTP and the gRPC port. */
export const manyConnections: Attack = async ({ httpPort, grpcPort }, signal) => {
  const ports = Array.from({ length: MANY }, (_, i) => (i % 3 === 0 ? grpcPort : httpPort));
  await Promise.all(ports.map((port) => reopened(port, signal, async (socket) => await closed(socket, signal))));
};

/** Requests of which a byte arrives each second: heads without a key, and bodies with one. */
export const slowBodies: Attack = async ({ httpPort, key }, signal) => {
  const head = `POST /api/v2/series HTTP/1.1\r\nhost: localhost\r\n`;
  const body = `dd-api-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`;
  const slow = Array.from({ length: SLOW }, (_, i) => {
    return reopened(httpPort, signal, async (socket) => {
      socket.write(i % 2 === 0 ? head : head + body);
      while (!socket.destroyed && !signal.aborted) {
        socket.write(i % 2 === 0 ? 'x' : ' ');
        await delay(DRIP_MS, undefined, { signal }).catch(() => undefined);
      }
    });
  });
  await Promise.all(slow);
};

/** Bytes that are not a request, and requests that are wrong in their framing. */
export const oddBytes: Attack = async ({ httpPort, grpcPort }, signal) => {
  const odd = [
    () => randomBytes(2000),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.padEnd(2000, '\0')),
    () =>
      Buffer.from('POST /api/v2/series HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n'),
    () => Buffer.from(`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`),
    () => Buffer.from(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(5000)}\r\n`),
    () => Buffer.from('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(1000)),
  ];
  const senders = Array.from({ length: ODD }, (_, i) => {
    let sent = i;
    return reopened(i % 2 === 0 ? httpPort : grpcPort, signal, async (socket) => {
      socket.end(odd[sent++ % odd.length]());
      await closed(socket, signal);
    });
  });
  await Promise.all(senders);
};

/** Opens a connection, and another one whenever it has ended. */
async function reopened(port: number, signal: AbortSignal, use: (socket: Socket) => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.resume();
    await use(socket);
    socket.destroy();
    await delay(20, undefined, { signal }).catch(() => undefined);
  }
}

function closed(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
