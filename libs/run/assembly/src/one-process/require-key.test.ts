import { describe, expect, test } from '@jest/globals';
import { requireKey } from './require-key.ts';

const NONE = { keys: new Map() };
const ONE = { keys: new Map([['hash', { tenant: 't', name: 'n', scopes: new Set(['admin']) }]]) };

describe('a platform without a key', () => {
  test.each(['localhost', '127.0.0.1', '::1'])('listens on %s', (host) => {
    expect(() => requireKey({ host, loopbackNeedsKey: false }, NONE)).not.toThrow();
  });

  test('does not listen beyond loopback, nor where loopback needs a key', () => {
    const refused = (setting: string) => expect.objectContaining({ code: 'failed_precondition', detail: { setting } });
    expect(() => requireKey({ host: '0.0.0.0', loopbackNeedsKey: false }, NONE)).toThrow(refused('listen.host'));
    expect(() => requireKey({ host: '127.0.0.1', loopbackNeedsKey: true }, NONE)).toThrow(
      refused('listen.loopbackNeedsKey'),
    );
  });

  test('that has a key listens anywhere', () => {
    expect(() => requireKey({ host: '0.0.0.0', loopbackNeedsKey: true }, ONE)).not.toThrow();
  });
});
