import { expect, test } from '@jest/globals';
import { DEFAULT_TENANT, hashApiKey } from '@tidemark/access';
import { ControlState } from '@tidemark/control-log';
import { parseSettings } from '@tidemark/settings';
import { assembleAccess } from './assemble-access.ts';
import { Pending } from './pending.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

test('a caller with a key gets unavailable until control is followed, and is then checked against the newest state', () => {
  const pending = new Pending<ControlState>('the intake');
  const access = assembleAccess(() => pending.part, parseSettings({}));
  expect(() => access.tenantOf('k', 'send', false)).toThrow(code('unavailable'));
  expect(() => access.tenantOf('k', 'send', true)).toThrow(code('unavailable'));
  expect(() => access.tenantOf(undefined, 'send', false)).toThrow(code('unauthenticated'));
  const state = new ControlState();
  pending.set(state);
  expect(() => access.tenantOf('k', 'send', false)).toThrow(code('unauthenticated'));
  state.apply({ $case: 'term', value: { term: 1, process: 'p' } }, 0, 0);
  const value = { term: 1, tenant: 't', name: 'n', keyHash: hashApiKey('k'), scopes: ['send'], revoked: false };
  state.apply({ $case: 'key', value }, 1, 0);
  expect(access.tenantOf('k', 'send', false)).toBe('t');
});

test('a revoked key is refused on loopback too, also when it was the last one, and from a checkpoint', () => {
  const state = new ControlState();
  const access = assembleAccess(() => state, parseSettings({}));
  state.apply({ $case: 'term', value: { term: 1, process: 'p' } }, 0, 0);
  expect(access.tenantOf('k', 'send', true)).toBe(DEFAULT_TENANT);
  const value = { term: 1, tenant: 't', name: 'n', keyHash: hashApiKey('k'), scopes: ['send'], revoked: false };
  state.apply({ $case: 'key', value }, 1, 0);
  expect(access.tenantOf('k', 'send', true)).toBe('t');
  state.apply({ $case: 'key', value: { ...value, revoked: true } }, 2, 0);
  expect(() => access.tenantOf('k', 'send', true)).toThrow(code('unauthenticated'));
  state.apply({ $case: 'checkpointBegun', value: { term: 1 } }, 3, 0);
  const later = new ControlState();
  later.beginAt(3);
  later.apply({ $case: 'checkpointBegun', value: { term: 1 } }, 3, 0);
  later.apply({ $case: 'checkpoint', value: state.checkpoint() }, 4, 0);
  expect(() => assembleAccess(() => later, parseSettings({})).tenantOf('k', 'send', true)).toThrow(
    code('unauthenticated'),
  );
});

test('settings can require a key on loopback too, and the own key can send', () => {
  const state = new ControlState();
  const open = assembleAccess(() => state, parseSettings({}));
  expect(open.tenantOf(undefined, 'admin', true)).toBe(DEFAULT_TENANT);
  const settings = parseSettings({ flags: { 'listen-loopback-needs-key': true } });
  const closed = assembleAccess(() => state, settings, 'own');
  expect(() => closed.tenantOf(undefined, 'send', true)).toThrow(code('unauthenticated'));
  expect(closed.tenantOf('own', 'send', true)).toBe(DEFAULT_TENANT);
});
