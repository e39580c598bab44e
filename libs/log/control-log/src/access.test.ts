import { describe, expect, test } from '@jest/globals';
import { toHex } from '@tidemark/bytes';
import { Access, bearerKey, DEFAULT_TENANT } from './access.ts';
import { hashApiKey } from './api-key.ts';
import { ControlState } from './control-state.ts';

/** A state with one key of tenant `t` that may send. */
function stateWith(...keys: readonly string[]): ControlState {
  const state = new ControlState();
  state.apply({ $case: 'term', value: { term: 1, process: 'p' } }, 0, 0);
  for (const [i, key] of keys.entries()) {
    const value = { term: 1, tenant: 't', name: `n${i}`, keyHash: hashApiKey(key), scopes: ['send'], revoked: false };
    state.apply({ $case: 'key', value }, i + 1, 0);
    expect(state.keys.has(toHex(hashApiKey(key)))).toBe(true);
  }
  return state;
}

const unauthenticated = expect.objectContaining({ code: 'unauthenticated' });

describe('access', () => {
  test('callers on loopback need no key, others do', () => {
    const access = new Access(stateWith('k'));
    expect(access.tenantOf(undefined, 'admin', true)).toBe(DEFAULT_TENANT);
    expect(() => access.tenantOf(undefined, 'send', false)).toThrow(unauthenticated);
    expect(access.tenantOf('k', 'send', false)).toBe('t');
  });

  test('behind a proxy of this machine everybody is on loopback: then all need a key', () => {
    const access = new Access(stateWith('k'), { loopbackNeedsKey: true });
    for (const key of [undefined, '', 'wrong']) {
      expect(() => access.tenantOf(key, 'admin', true)).toThrow(unauthenticated);
    }
    expect(access.tenantOf('k', 'send', true)).toBe('t');
    const empty = new Access(stateWith(), { loopbackNeedsKey: true });
    expect(() => empty.tenantOf('any', 'read', true)).toThrow(unauthenticated);
  });

  test("the process's own agent may send, and nothing more, and only from here", () => {
    const access = new Access(stateWith('k'), { loopbackNeedsKey: true, ownKey: 'own' });
    expect(access.tenantOf('own', 'send', true)).toBe(DEFAULT_TENANT);
    expect(() => access.tenantOf('own', 'read', true)).toThrow(unauthenticated);
    expect(() => access.tenantOf('own', 'admin', true)).toThrow(unauthenticated);
    expect(() => access.tenantOf('own', 'send', false)).toThrow(unauthenticated);
  });
});

test.each([
  [undefined, undefined],
  ['Bearer', undefined],
  ['Basic abc', undefined],
  [' bearer  abc ', 'abc'],
  ['Bearer the key of a cluster', 'the key of a cluster'],
])('the key in the header %j is %j', (header, key) => {
  expect(bearerKey(header)).toBe(key);
});
