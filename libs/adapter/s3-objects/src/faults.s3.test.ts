import { readFile, truncate, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { SystemRandom } from '@tidemark/node-runtime';
import { type ObjectStore, TidemarkError } from '@tidemark/ports';
import { S3FaultProxy, S3Server } from '@tidemark/s3-server';
import { S3_START_MS, s3Suite } from '@tidemark/s3-server/testing';
import { openS3Objects, type S3Options } from './index.ts';

const BUCKET = 'faults';
const PART_BYTES = 5 * 2 ** 20;

await s3Suite('the S3 adapter with a server that fails', () => {
  let server: S3Server;
  let proxy: S3FaultProxy;
  let options: S3Options & { readonly endpoint: string };
  let store: ObjectStore;

  beforeAll(async () => {
    server = await S3Server.start();
    await server.makeBucket(BUCKET);
    proxy = await S3FaultProxy.open(server.endpoint);
    const limits = { attempts: 3, requestMs: 5000, operationMs: 10_000, partBytes: PART_BYTES };
    options = { bucket: BUCKET, endpoint: proxy.endpoint, credentials: server.credentials, limits };
    store = await openS3Objects(options, new SystemRandom());
  }, S3_START_MS);

  beforeEach(() => {
    proxy.pick = () => undefined;
    proxy.counts.clear();
  });

  afterAll(async () => {
    await store?.close();
    await proxy?.close();
    await server?.close();
  });

  /** Injects a fault into the first request whose method and path match. */
  function once(fault: 'lost-reply' | 'cut', method: string, path: RegExp): void {
    proxy.pick = (request) => {
      if (request.method !== method || !path.test(request.path)) return undefined;
      proxy.pick = () => undefined;
      return fault;
    };
  }

  const failure = (task: Promise<unknown>) =>
    task.then(
      () => 'no error',
      (error: unknown) => error,
    );

  test('a throttled request is repeated, then unavailable with the number of attempts', async () => {
    proxy.pick = () => 'slow-down';
    const error = await failure(store.head('a/b.x'));
    expect(error).toMatchObject({ code: 'unavailable', detail: { key: 'a/b.x' } });
    expect((error as Error).message).toContain('3 attempts');
    expect(proxy.counts.get('slow-down')).toBe(3);
  });

  test('a put whose reply is lost, and which another writer replaces before it is repeated, has an unknown outcome', async () => {
    const { version } = await store.put('raced.x', Buffer.from('1'));
    const direct = await openS3Objects({ ...options, endpoint: server.endpoint }, new SystemRandom());
    const repeating = await openS3Objects(
      { ...options, limits: { ...options.limits, attempts: 20 } },
      new SystemRandom(),
    );
    let isReplaced = false;
    let replaced: Promise<void> | undefined;
    const replace = async (): Promise<void> => {
      while (Buffer.from((await direct.get('raced.x')).bytes).toString() !== '2') await setTimeout(1);
      await direct.put('raced.x', Buffer.from('3'));
      isReplaced = true;
    };
    proxy.pick = ({ method, path }) => {
      if (method !== 'PUT' || !/raced\.x/.test(path) || isReplaced) return undefined;
      // Repetitions are held back until the other writer has put it.
      if (replaced !== undefined) return 'slow-down';
      replaced = replace();
      return 'lost-reply';
    };
    const error = await failure(repeating.put('raced.x', Buffer.from('2'), { ifVersion: version }));
    await replaced;
    const message = expect.stringContaining('another writer has put it since');
    expect(error).toMatchObject({ code: 'unavailable', message });
    await direct.close();
    await repeating.close();
  });

  test('a conditional put whose reply is lost succeeds', async () => {
    once('lost-reply', 'PUT', /lost\.x/);
    const first = await store.put('lost.x', Buffer.from('1'), { ifAbsent: true });
    expect(proxy.counts.get('lost-reply')).toBe(1);
    once('lost-reply', 'PUT', /lost\.x/);
    const second = await store.put('lost.x', Buffer.from('2'), { ifVersion: first.version });
    expect((await store.get('lost.x')).version).toBe(second.version);
    expect(await failure(store.put('lost.x', Buffer.from('3'), { ifAbsent: true }))).toMatchObject({
      code: 'already_exists',
    });
  });

  test('a stream whose last reply is lost succeeds', async () => {
    once('lost-reply', 'POST', /uploadId=/);
    async function* chunks() {
      yield Buffer.alloc(PART_BYTES + 1, 'part');
    }
    const put = await store.putStream('lost/stream.x', chunks(), { ifAbsent: true });
    expect(proxy.counts.get('lost-reply')).toBe(1);
    expect(await store.head('lost/stream.x')).toEqual(put);
  });

  test('a body that is cut is read again, and is unavailable when it is always cut', async () => {
    await store.put('cut.x', Buffer.alloc(100_000, 'cut'));
    once('cut', 'GET', /cut\.x/);
    expect((await store.get('cut.x')).bytes.length).toBe(100_000);
    proxy.pick = ({ method }) => (method === 'GET' ? 'cut' : undefined);
    expect(await failure(store.get('cut.x'))).toMatchObject({ code: 'unavailable', detail: { statedBytes: 100_000 } });
    const range = store.getRange('cut.x', { offset: 10, length: 1000 });
    expect(await failure(range)).toMatchObject({ code: 'unavailable', detail: { statedBytes: 1000 } });
  });

  test('a server that does not answer is unavailable, and a signal ends the wait at once', async () => {
    const limits = { ...options.limits, attempts: 1, operationMs: 1500 };
    const own = await openS3Objects({ ...options, limits }, new SystemRandom());
    proxy.pick = () => 'hang';
    const error = await failure(own.put('hang.x', Buffer.from('x')));
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('after 1500 ms') });
    const abort = new AbortController();
    const waiting = failure(store.head('hang.x', { signal: abort.signal }));
    abort.abort(new TidemarkError('cancelled', 'stopped'));
    expect(await waiting).toMatchObject({ code: 'cancelled' });
    await own.close();
  });

  test('an object that changed or was cut on the disk of the server is data_loss', async () => {
    const expected = { code: 'data_loss', detail: { key: 'rot.x' } };
    await store.put('rot.x', Buffer.alloc(1000, 'rot'));
    const file = server.fileOf(BUCKET, 'rot.x');
    const bytes = await readFile(file);
    bytes[500] ^= 1;
    await writeFile(file, bytes);
    expect(await failure(store.get('rot.x'))).toMatchObject(expected);
    await truncate(file, 400);
    expect(await failure(store.get('rot.x'))).toMatchObject(expected);
  });

  test('an object of others has no CRC-32C and is data_loss; its name is listed only if it is a key', async () => {
    const { endpoint, region, credentials } = server;
    const other = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    for (const Key of ['foreign/README', 'foreign/a.x']) {
      await other.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
    }
    other.destroy();
    expect(await failure(store.get('foreign/a.x'))).toMatchObject({
      code: 'data_loss',
      detail: { key: 'foreign/a.x' },
    });
    expect((await store.list('foreign/')).objects).toEqual([{ key: 'foreign/a.x', sizeBytes: 1 }]);
    await store.delete(['foreign/a.x']);
    expect((await store.list('foreign/')).objects).toEqual([]);
  });

  test('wrong settings and credentials are named, and no message has a secret', async () => {
    const { accessKeyId, secretAccessKey } = server.credentials;
    const cases: [Partial<S3Options>, string, string][] = [
      [{ bucket: 'none' }, 'failed_precondition', 'the bucket does not exist'],
      [
        { credentials: { accessKeyId, secretAccessKey: 'wrong-secret' } },
        'permission_denied',
        'the secret key is wrong',
      ],
      [
        { credentials: { accessKeyId: 'UNKNOWNKEY', secretAccessKey } },
        'permission_denied',
        'the server does not know the access key',
      ],
      // In jest the SDK wraps errors of Node, which are of another realm, without their code: s3-error.test.ts has it.
      [{ endpoint: 'http://127.0.0.1:1' }, 'unavailable', 'at http://127.0.0.1:1'],
      [{ endpoint: 'http://user:word@127.0.0.1:1' }, 'failed_precondition', 'endpoint: '],
      [{ prefix: 'no-slash' }, 'failed_precondition', 'prefix: no-slash'],
      [{ limits: { partBytes: 1 } }, 'failed_precondition', 'partBytes: 1 (limit: at least 5242880)'],
    ];
    for (const [wrong, code, text] of cases) {
      const error = await failure(openS3Objects({ ...options, ...wrong }, new SystemRandom()));
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toContain(text);
      const shown = inspect(error, { depth: 9, showHidden: true });
      for (const secret of [secretAccessKey, 'wrong-secret', 'user:word', 'Signature='])
        expect(shown).not.toContain(secret);
    }
  });

  test('reading from a bucket that is gone is not reported as an object that does not exist', async () => {
    await server.makeBucket('gone');
    const own = await openS3Objects({ ...options, bucket: 'gone' }, new SystemRandom());
    await server.removeBucket('gone');
    for (const read of [() => own.head('a.b'), () => own.get('a.b'), () => own.list('')]) {
      expect(await failure(read())).toMatchObject({ code: 'failed_precondition' });
    }
    await own.close();
  });
});
