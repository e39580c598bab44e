import { expect, test } from '@jest/globals';
import { inParallel } from './in-parallel.ts';

test('runs all, no more at the same time than the limit', async () => {
  let [running, most] = [0, 0];
  const done: number[] = [];
  await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    done.push(item);
  });
  expect([done.sort(), most]).toEqual([[1, 2, 3, 4, 5], 2]);
});

test('throws the first error after the other tasks have ended, and begins no more', async () => {
  const begun: number[] = [];
  let isEnded = false;
  const running = inParallel([1, 2, 3], 2, async (item, signal) => {
    begun.push(item);
    if (item === 1) throw new Error('first');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    isEnded = true;
    throw new Error('second');
  });
  await expect(running).rejects.toThrow('first');
  expect([begun, isEnded]).toEqual([[1, 2], true]);
});

test('throws the reason of its signal', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  const running = inParallel([1, 2], 1, async () => stop.abort(reason), stop.signal);
  await expect(running).rejects.toBe(reason);
});
