import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { TcpLink } from './tcp-link.ts';

let server: Server;
let link: TcpLink;
let received: string[];

beforeEach(async () => {
  received = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received.push(String(chunk));
      socket.write(`re:${chunk}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  link = await TcpLink.open(typeof address === 'object' && address !== null ? address.port : 0);
});

afterEach(async () => {
  await link.close();
  await new Promise((resolve) => server.close(resolve));
});

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(link.port, '127.0.0.1', () => resolve(socket)).once('error', reject);
  });
}

function next(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk) => resolve(String(chunk)));
    socket.once('error', reject);
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!condition()) {
    expect(performance.now()).toBeLessThan(deadlineMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('an open link passes data both ways', async () => {
  const socket = await open();
  socket.write('a');
  expect(await next(socket)).toBe('re:a');
  expect(link.connections).toBe(1);
});

test('a cut resets open connections and refuses new ones', async () => {
  const socket = await open();
  socket.write('a');
  await next(socket);
  const broken = next(socket);
  link.set('cut');
  await expect(broken).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(open().then(next)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(link.connections).toBe(0);
  link.set('open');
  const again = await open();
  again.write('b');
  expect(await next(again)).toBe('re:b');
});

test('a cut also closes a connection whose other side does not read', async () => {
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = sockets();
  let deaf: Socket | undefined;
  server.removeAllListeners('connection').on('connection', (socket) => {
    deaf = socket.on('error', () => undefined).pause();
  });
  const socket = (await open()).on('error', () => undefined);
  socket.write(Buffer.alloc(64 * 1024 * 1024));
  await until(() => deaf !== undefined);
  // The system's buffers are full when no more data passes.
  for (let sent = -1; sent !== socket.bytesWritten - socket.writableLength; ) {
    sent = socket.bytesWritten - socket.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  link.set('cut');
  try {
    // The deaf socket does not count: a paused socket is not active.
    await until(() => sockets() <= before);
  } finally {
    deaf?.destroy();
  }
});

test('a stalled link holds data back both ways, and passes it when it opens', async () => {
  const socket = await open();
  socket.write('a');
  await next(socket);
  link.set('stalled');
  const later = next(socket);
  socket.write('b');
  const fresh = await open();
  fresh.write('c');
  expect(received).toEqual(['a']);
  link.set('open');
  expect(await later).toBe('re:b');
  expect(await next(fresh)).toBe('re:c');
});

test('a mute link passes requests and holds replies back', async () => {
  const socket = await open();
  link.set('mute');
  const reply = next(socket);
  socket.write('a');
  await until(() => received.length === 1);
  expect(socket.bytesRead).toBe(0);
  link.set('open');
  expect(await reply).toBe('re:a');
});
