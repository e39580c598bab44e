import { describe, expect, test } from '@jest/globals';
import { Access } from '@tidemark/access';
import { ControlState } from '@tidemark/control-log';
import { operatorsOnly } from './process-access.ts';

describe('the access to a process', () => {
  const state = new ControlState();
  const checkAccess = operatorsOnly(new Access(state));

  test('a caller on loopback needs no key, and every other caller needs one', () => {
    expect(() => checkAccess(undefined, true)).not.toThrow();
    expect(() => checkAccess(undefined, false)).toThrow(/key is needed/);
  });

  test('a key must be of the default tenant and have the scope admin', () => {
    const access = (tenant: string) => ({ tenantOf: () => tenant });
    expect(() => operatorsOnly(access('default'))('key', false)).not.toThrow();
    expect(() => operatorsOnly(access('other'))('key', false)).toThrow(/operators of tenant default/);
  });
});
