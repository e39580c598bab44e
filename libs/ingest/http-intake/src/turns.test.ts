import { describe, expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

function setUp(places: number, placesPerTenant: number) {
  const turns = new Turns(places, placesPerTenant, async () => undefined);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  /** Queues work that takes `slices`, until `end` is called with its name. */
  const add = (name: string, slices = 0): Promise<void> =>
    turns.run(name.slice(0, 1), async (pause) => {
      started.push(name);
      for (let i = 0; i < slices; i++) await pause();
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    // Slices take turns of the queue of promises.
    for (let i = 0; i < 2000 && !ends.has(name); i++) await Promise.resolve();
    ends.get(name)?.();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { add, end, started };
}

describe('turns', () => {
  test('of those who wait, the tenant with the fewest slices is next', async () => {
    const { add, end, started } = setUp(1, 1);
    const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => add(name, name.startsWith('a') ? 100 : 1));
    for (let i = 0; i < all.length; i++) await end(started[i]);
    await Promise.all(all);
    expect(started).toEqual(['a1', 'b1', 'c1', 'b2', 'a2', 'a3']);
  });

  test('a tenant has its part of the places, and leaves the others free', async () => {
    const { add, end, started } = setUp(2, 1);
    const all = ['a1', 'a2', 'b1', 'c1'].map((name) => add(name));
    await Promise.resolve();
    expect(started).toEqual(['a1', 'b1']);
    await end('a1');
    expect(started).toEqual(['a1', 'b1', 'c1']);
    await end('c1');
    await end('b1');
    await end('a2');
    await Promise.all(all);
  });

  test('work that fails gives its place to the next', async () => {
    const turns = new Turns(1, 1, async () => undefined);
    const failed = turns.run('a', () => Promise.reject(new Error('malformed')));
    const next = turns.run('a', async () => 5);
    await expect(failed).rejects.toThrow('malformed');
    expect(await next).toBe(5);
  });

  test('a tenant that had much work earlier is not held back by one that just came', async () => {
    const { add, end, started } = setUp(1, 1);
    const all = [add('a1', 500)];
    await end('a1');
    all.push(add('b1'), add('a2'), add('b2'), add('a3'));
    for (const i of [1, 2, 3, 4]) await end(started[i]);
    await Promise.all(all);
    expect(started.slice(1)).toEqual(['b1', 'a2', 'b2', 'a3']);
  });
});
