import { describe, expect, test } from '@jest/globals';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { parseSettings } from '@tidemark/settings';
import { peerSecurity, requireKeyBeyondLoopback } from './peer-security.ts';
import type { ServiceContext } from './service-context.ts';

const FILES: Readonly<Record<string, string>> = { good: 'k'.repeat(20), short: 'abc', cert: 'a certificate' };

function context(groups: Record<string, Record<string, unknown>>): ServiceContext {
  const text = JSON.stringify(groups);
  return {
    settings: parseSettings({ flags: {}, environment: {}, file: { name: 'test', text } }),
    clock: new SystemClock(),
    random: new SystemRandom(),
    events: { info: () => undefined, error: () => undefined, fatal: () => undefined },
    name: 'test',
    readFile: async (path) => {
      if (FILES[path] === undefined) throw new Error('ENOENT');
      return Buffer.from(FILES[path]);
    },
    protoFolder: '',
    stopping: new AbortController().signal,
  };
}

describe('the authentication of processes', () => {
  test('the key is read from its file, and is undefined without a file', async () => {
    expect((await peerSecurity(context({ cluster: { keyFile: 'good' } }))).key).toBe('k'.repeat(20));
    expect((await peerSecurity(context({}))).key).toBeUndefined();
  });

  test.each([
    [{ cluster: { keyFile: 'short' } }, /^cluster\.keyFile: a key of 3 characters \(limit: at least 16\)/],
    [{ cluster: { keyFile: 'gone' } }, /^cluster\.keyFile: can't read gone/],
    [{ tls: { certFile: 'cert' } }, /^set both tls\.certFile and tls\.keyFile, or neither/],
    [{ tls: { caFile: 'gone' } }, /^tls\.caFile: can't read gone/],
  ])('the settings %j are refused with the setting', async (groups, message) => {
    await expect(peerSecurity(context(groups))).rejects.toThrow(message);
  });

  test('listening beyond loopback requires a key', () => {
    for (const host of ['127.0.0.1', 'localhost', '::1']) requireKeyBeyondLoopback(host, undefined);
    requireKeyBeyondLoopback('0.0.0.0', 'a key');
    expect(() => requireKeyBeyondLoopback('0.0.0.0', undefined)).toThrow(/only on loopback, not on 0\.0\.0\.0/);
  });
});
