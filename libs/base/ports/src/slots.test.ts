import { expect, test } from '@jest/globals';
import { Slots } from './slots.ts';

test('as many tasks run at once as there are slots, and the next waiting task starts when one ends', async () => {
  const slots = new Slots(2);
  const started: number[] = [];
  const ends = new Map<number, () => void>();
  const running = [0, 1, 2, 3].map((i) =>
    slots.run(() => {
      started.push(i);
      return new Promise<number>((resolve) => ends.set(i, () => resolve(i)));
    }),
  );
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  ends.get(1)?.();
  expect(await running[1]).toBe(1);
  expect(started).toEqual([0, 1, 2]);
  for (const i of [0, 2]) ends.get(i)?.();
  await running[2];
  ends.get(3)?.();
  expect(await Promise.all(running)).toEqual([0, 1, 2, 3]);
});

test('a task that fails releases its slot', async () => {
  const slots = new Slots(1);
  await expect(slots.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await slots.run(async () => 'next')).toBe('next');
});

test('a task that is cancelled while it waits ends at once, and those behind it keep their order', async () => {
  const slots = new Slots(1);
  const started: string[] = [];
  let end: () => void = () => undefined;
  const task = (name: string) => async () => void started.push(name);
  const first = slots.run(() => new Promise<void>((resolve) => (end = resolve)));
  const abort = new AbortController();
  const gone = new Error('the caller has gone');
  const cancelled = [1, 2].map((i) => slots.run(task(`cancelled ${i}`), abort.signal));
  const others = ['a', 'b'].map((name) => slots.run(task(name), new AbortController().signal));
  abort.abort(gone);
  for (const result of await Promise.allSettled(cancelled))
    expect(result).toEqual({ status: 'rejected', reason: gone });
  await expect(slots.run(task('late'), abort.signal)).rejects.toBe(gone);
  end();
  await Promise.all([first, ...others]);
  expect(started).toEqual(['a', 'b']);
  expect(await slots.run(async () => 'free')).toBe('free');
});
