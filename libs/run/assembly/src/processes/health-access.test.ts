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

test('the key of the cluster is accepted from any address, at any time', () => {
  for (const check of [healthAccess(KEY, access, true), healthAccess(KEY, starting, true)]) {
    expect(() => check(KEY, false)).not.toThrow();
    expect(() => check(`${KEY}.`, false)).toThrow();
    expect(() => check(undefined, false)).toThrow();
  }
});

test('without a key of the cluster, operators are admitted by the rules of the process', () => {
  const check = healthAccess(undefined, access, false);
  expect(() => check(undefined, true)).not.toThrow();
  expect(() => check(undefined, false)).toThrow(/key is needed/);
  expect(() => check('undefined', false)).toThrow(/not known/);
});

test('while a process starts, loopback is admitted only if it needs no key later', () => {
  expect(() => healthAccess(undefined, starting, false)(undefined, true)).not.toThrow();
  expect(() => healthAccess(undefined, starting, true)(undefined, true)).toThrow(/starting/);
  expect(() => healthAccess(undefined, starting, false)(undefined, false)).toThrow(/starting/);
});
