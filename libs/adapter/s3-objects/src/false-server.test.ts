import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { SystemRandom } from '@tidemark/node-runtime';
import { openS3Objects } from './index.ts';
import { S3Objects } from './s3-objects.ts';

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

type Answer = { status: number; headers?: Record<string, string>; body?: string };

async function start(answer: (request: IncomingMessage) => Answer) {
  server = createServer((request, reply) => {
    request.resume();
    request.once('end', () => {
      const { status, headers, body } = answer(request);
      reply.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { bucket: 'b', endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 's' } };
}

test('a server that ignores conditions is refused at the start', async () => {
  const options = await start(() => ({ status: 200, headers: { etag: '"1"' } }));
  const message = 'the server ignores If-None-Match, without which writers could lose data; use another server';
  await expect(openS3Objects(options, new SystemRandom())).rejects.toMatchObject({
    code: 'failed_precondition',
    message,
  });
});

test('a server that ignores ranges is refused', async () => {
  const options = await start(() => ({ status: 200, headers: { etag: '"1"' }, body: 'whole object' }));
  const store = new S3Objects(options, new SystemRandom());
  await expect(store.getRange('a.b', { offset: 1, length: 2 })).rejects.toMatchObject({ code: 'failed_precondition' });
  await store.close();
});

test('a clock that differs is permission_denied, and names the clock', async () => {
  const body = '<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>';
  const options = await start(() => ({ status: 403, headers: { date: new Date(0).toUTCString() }, body }));
  const store = new S3Objects(options, new SystemRandom());
  const message = expect.stringContaining('correct the clock');
  await expect(store.list('')).rejects.toMatchObject({ code: 'permission_denied', message });
  await store.close();
});

test('keys that could not be deleted are an error', async () => {
  const body =
    '<DeleteResult><Error><Key>p/a.b</Key><Code>AccessDenied</Code><Message>m</Message></Error></DeleteResult>';
  const options = await start(() => ({ status: 200, body }));
  const store = new S3Objects({ ...options, prefix: 'p/' }, new SystemRandom());
  const expected = { code: 'permission_denied', detail: { key: 'a.b' } };
  await expect(store.delete(['a.b', 'c.d'])).rejects.toMatchObject(expected);
  await store.close();
});
