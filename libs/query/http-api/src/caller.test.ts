import { expect, test } from '@jest/globals';
import { Access } from '@tidemark/access';
import Fastify from 'fastify';
import { acceptsAnyKey } from './caller.ts';

const INFO = { tenant: 'acme', name: 'a', scopes: new Set(['send']) };

test.each([
  ['without keys', new Map(), '127.0.0.1', true],
  ['with a key', new Map([['00', INFO]]), '127.0.0.1', false],
  ['from another machine', new Map(), '10.0.0.7', false],
])('any key is accepted only on loopback without keys: %s', async (_, keys, remoteAddress, expected) => {
  const access = new Access({ keys, wereKeysCreated: keys.size > 0, lost: [] });
  const app = Fastify();
  app.get('/', async (request) => acceptsAnyKey(access, request));
  expect((await app.inject({ url: '/', remoteAddress })).json()).toBe(expected);
  await app.close();
});
