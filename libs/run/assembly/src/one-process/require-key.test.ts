import { describe, expect, test } from '@jest/globals';
import { requireKey } from './require-key.ts';

const NONE = { keys: new Map() };
const ONE = { keys: new Map([['hash', { tenant: 't', name: 'n', scopes: new Set(['admin']) }]]) };

describe('a platform without a key', () => {
  test.each(['localhost', '127.0.0.1', '::1'])('a platform without a key listens on %s', (host) => {
    expect(() => requireKey({ host, loopbackNeedsKey: false }, NONE)).not.toThrow();
  });

  test('a platform without a key does not listen beyond loopback, nor on loopback if loopback needs a key', () => {
    const refused = (setting: string) => expect.objectContaining({ code: 'failed_precondition', detail: { setting } });
    expect(() => requireKey({ host: '0.0.0.0', loopbackNeedsKey: false }, NONE)).toThrow(refused('listen.host'));
    expect(() => requireKey({ host: '127.0.0.1', loopbackNeedsKey: true }, NONE)).toThrow(
      refused('listen.loopbackNeedsKey'),
    );
  });

  test('a platform with a key listens on any address', () => {
    expect(() => requireKey({ host: '0.0.0.0', loopbackNeedsKey: true }, ONE)).not.toThrow();
  });
});
