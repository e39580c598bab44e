import { describe, expect, test } from '@jest/globals';
import { ArrivedRequests } from './arrived-requests.ts';

function setUp() {
  const arrived = new ArrivedRequests();
  const called: string[] = [];
  const wait = (name: string, tenant = 'a') => arrived.afterThese(tenant, () => called.push(name));
  return { arrived, called, wait };
}

describe('arrived requests', () => {
  test('nothing is waited for while no request of the tenant is here', () => {
    const { arrived, called, wait } = setUp();
    arrived.arrive('b');
    wait('before');
    arrived.arrive('a')();
    wait('after');
    expect(called).toEqual(['before', 'after']);
  });

  test('a wait ends with the last request that was here when it began, in any order, and not with later ones', () => {
    const { arrived, called, wait } = setUp();
    const [first, second] = [arrived.arrive('a'), arrived.arrive('a')];
    wait('one');
    const third = arrived.arrive('a');
    wait('two');
    arrived.arrive('a');
    second();
    third();
    expect(called).toEqual([]);
    first();
    expect(called).toEqual(['one', 'two']);
  });

  test('a request leaves once', () => {
    const { arrived, called, wait } = setUp();
    const [first, second] = [arrived.arrive('a'), arrived.arrive('a')];
    wait('one');
    first();
    first();
    expect(called).toEqual([]);
    second();
    expect(called).toEqual(['one']);
  });

  test('a wait that begins when another one ends waits for those that are here then', () => {
    const { arrived, called, wait } = setUp();
    const first = arrived.arrive('a');
    arrived.afterThese('a', () => wait('next'));
    const second = arrived.arrive('a');
    first();
    expect(called).toEqual([]);
    second();
    expect(called).toEqual(['next']);
  });
});
