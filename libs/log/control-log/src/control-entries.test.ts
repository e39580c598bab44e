import { describe, expect, test } from '@jest/globals';
import {
  applyBudget,
  applyKey,
  applySkip,
  budgetKey,
  budgetOf,
  fenceKey,
  type SkipInfo,
  skipKey,
} from './control-entries.ts';
import { KeyTable } from './key-table.ts';

describe('keys of entries', () => {
  test('a fence of a session and a fence of one of its lanes have different keys', () => {
    const session = Buffer.alloc(2, 0xab);
    expect(fenceKey(session, undefined)).toBe('abab');
    expect(fenceKey(session, { partition: 3, lane: 7 })).toBe('abab.3.7');
  });

  test.each([
    ['t', ''],
    ['t/m', 'a'],
    ['t', 'm/a'],
  ])('the key of a budget has the tenant %j and the metric %j', (tenant, metric) => {
    expect(budgetOf(budgetKey(tenant, metric))).toEqual({ tenant, metric });
  });
});

describe('decisions', () => {
  test('an exceeded budget is added, and removed when it is no longer exceeded', () => {
    const overBudget = new Map<string, number>();
    applyBudget(overBudget, { tenant: 't', metric: 'm', limit: 5, over: true });
    expect(overBudget.get(budgetKey('t', 'm'))).toBe(5);
    applyBudget(overBudget, { tenant: 't', metric: 'm', limit: 5, over: false });
    expect(overBudget.size).toBe(0);
  });

  test('a key replaces the one of the same tenant and name, and a revoked one is removed', () => {
    const keys = new KeyTable();
    const key = { tenant: 't', name: 'n', scopes: ['send'], revoked: false };
    applyKey(keys, { ...key, keyHash: Buffer.of(1) });
    applyKey(keys, { ...key, tenant: 'u', keyHash: Buffer.of(2) });
    applyKey(keys, { ...key, keyHash: Buffer.of(3) });
    expect([...keys.keys()]).toEqual(['02', '03']);
    applyKey(keys, { ...key, keyHash: Buffer.of(3), revoked: true });
    expect([...keys.keys()]).toEqual(['02']);
    expect([keys.hashOf('t', 'n'), keys.hashOf('u', 'n')]).toEqual([undefined, '02']);
    applyKey(keys, { ...key, tenant: 'u', name: 'other', keyHash: Buffer.of(2) });
    expect([keys.hashOf('u', 'n'), keys.hashOf('u', 'other')]).toEqual([undefined, '02']);
    keys.clear();
    expect([keys.size, keys.hashOf('u', 'other')]).toEqual([0, undefined]);
  });

  test('a key is applied without reading all others', () => {
    const keys = new KeyTable();
    let read = 0;
    keys[Symbol.iterator] = keys.entries = () => {
      read++;
      return new Map(keys).entries();
    };
    for (let n = 0; n < 100; n++) {
      applyKey(keys, { tenant: 't', name: `n${n}`, scopes: [], revoked: false, keyHash: Buffer.of(n) });
    }
    expect([keys.size, read]).toEqual([100, 0]);
  });

  test('a skip is added by topic, partition and offset', () => {
    const skips = new Map<string, SkipInfo>();
    const skip = { topic: 'points', partition: 1, offset: 9, reason: 'damaged' };
    applySkip(skips, skip);
    expect(skips.get(skipKey('points', 1, 9))).toEqual(skip);
  });
});
