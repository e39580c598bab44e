import { expect, test } from '@jest/globals';
import { Access } from '@tidemark/access';
import { ControlState } from '@tidemark/control-log';
import { TidemarkError } from '@tidemark/ports';
import { healthAccess } from './health-access.ts';

const KEY = 'the key of this cluster';
const access = new Access(new ControlState());
const starting = {
  tenantOf: () => {
    throw new TidemarkError('unavailable', 'the intake is starting');
  },
};

test('the key of the cluster opens from everywhere, at any time', () => {
  for (const door of [healthAccess(KEY, access, true), healthAccess(KEY, starting, true)]) {
    expect(() => door(KEY, false)).not.toThrow();
    expect(() => door(`${KEY}.`, false)).toThrow();
    expect(() => door(undefined, false)).toThrow();
  }
});

test('without one, operators are let in as by the process itself', () => {
  const door = healthAccess(undefined, access, false);
  expect(() => door(undefined, true)).not.toThrow();
  expect(() => door(undefined, false)).toThrow(/key is needed/);
  expect(() => door('undefined', false)).toThrow(/not known/);
});

test('while it starts, loopback is let in only where it needs no key later', () => {
  expect(() => healthAccess(undefined, starting, false)(undefined, true)).not.toThrow();
  expect(() => healthAccess(undefined, starting, true)(undefined, true)).toThrow(/starting/);
  expect(() => healthAccess(undefined, starting, false)(undefined, false)).toThrow(/starting/);
});
