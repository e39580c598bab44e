import { describe, expect, test } from '@jest/globals';
import { toHex } from '@tidemark/bytes';
import { Access, bearerKey, DEFAULT_TENANT, type KeyInfo, type KeyRegistry, refuseAll } from './access.ts';
import { hashApiKey } from './api-key.ts';

/** Keys of tenant `t` that may send. */
function registryOf(...keys: readonly string[]): KeyRegistry {
  const infos = keys.map((key, i): [string, KeyInfo] => {
    return [toHex(hashApiKey(key)), { tenant: 't', name: `n${i}`, scopes: new Set(['send']) }];
  });
  return { keys: new Map(infos), wereKeysCreated: infos.length > 0, lost: [] };
}

const unauthenticated = expect.objectContaining({ code: 'unauthenticated' });

describe('access', () => {
  test('callers on loopback need no key, others do', () => {
    const access = new Access(registryOf('k'));
    expect(access.tenantOf(undefined, 'admin', true)).toBe(DEFAULT_TENANT);
    expect(() => access.tenantOf(undefined, 'send', false)).toThrow(unauthenticated);
    expect(access.tenantOf('k', 'send', false)).toBe('t');
  });

  test('callers behind a proxy of this machine need a key, although all are on loopback', () => {
    const access = new Access(registryOf('k'), { loopbackNeedsKey: true });
    for (const key of [undefined, '', 'wrong']) {
      expect(() => access.tenantOf(key, 'admin', true)).toThrow(unauthenticated);
    }
    expect(access.tenantOf('k', 'send', true)).toBe('t');
    const empty = new Access(registryOf(), { loopbackNeedsKey: true });
    expect(() => empty.tenantOf('any', 'read', true)).toThrow(unauthenticated);
  });

  test('a key of which nothing is known is accepted on loopback only while no key can have been there', () => {
    expect(new Access(registryOf()).tenantOf('placeholder', 'read', true)).toBe(DEFAULT_TENANT);
    expect(() => new Access(registryOf('k')).tenantOf('placeholder', 'read', true)).toThrow(unauthenticated);
    // The last key was revoked: its holder is another tenant.
    const revoked = new Access({ ...registryOf(), wereKeysCreated: true });
    expect(() => revoked.tenantOf('k', 'send', true)).toThrow(unauthenticated);
    // The record that created a key was lost: its holder is another tenant.
    const access = new Access({ ...registryOf(), lost: [{ offset: 4 }] });
    expect(() => access.tenantOf('k', 'read', true)).toThrow(unauthenticated);
    expect(access.tenantOf(undefined, 'read', true)).toBe(DEFAULT_TENANT);
  });

  test("the process's own agent may only send, and only from this machine", () => {
    const access = new Access(registryOf('k'), { loopbackNeedsKey: true, ownKey: 'own' });
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

test('a port without tenants refuses every caller, with its reason', () => {
  const refused = expect.objectContaining({ code: 'unauthenticated', message: 'only health is served here' });
  expect(() => refuseAll('only health is served here').tenantOf('k', 'read', true)).toThrow(refused);
});
