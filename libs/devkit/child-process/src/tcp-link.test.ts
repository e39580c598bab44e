import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { TcpLink } from './tcp-link.ts';

let server: Server;
let link: TcpLink;
let heard: string[];

beforeEach(async () => {
  heard = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      heard.push(String(chunk));
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

test('passes both ways', async () => {
  const socket = await open();
  socket.write('a');
  expect(await next(socket)).toBe('re:a');
  expect(link.connections).toBe(1);
});

test('a cut resets what is open and refuses what comes', async () => {
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

test('a stalled link holds both ways back, and goes on', async () => {
  const socket = await open();
  socket.write('a');
  await next(socket);
  link.set('stalled');
  const later = next(socket);
  socket.write('b');
  const fresh = await open();
  fresh.write('c');
  expect(heard).toEqual(['a']);
  link.set('open');
  expect(await later).toBe('re:b');
  expect(await next(fresh)).toBe('re:c');
});

test('a mute link passes requests, and no replies', async () => {
  const socket = await open();
  link.set('mute');
  const reply = next(socket);
  socket.write('a');
  await until(() => heard.length === 1);
  expect(socket.bytesRead).toBe(0);
  link.set('open');
  expect(await reply).toBe('re:a');
});
