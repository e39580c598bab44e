import { expect, test } from '@jest/globals';
import { ProgramCallback } from './program-callback.ts';

test('a callback that throws or rejects is counted, and its caller continues', async () => {
  const rejects = new ProgramCallback<number>(async () => {
    throw new Error('from a promise');
  });
  rejects.call(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(rejects.failures).toBe(1);
  const thrown: unknown[] = [new Error('thrown'), undefined, null, Symbol('thrown')];
  const throws = new ProgramCallback<number>((i) => {
    throw thrown[i];
  });
  for (const i of thrown.keys()) throws.call(i);
  expect(throws.failures).toBe(thrown.length);
});

test('a result that cannot be read is counted as a failure', async () => {
  const hostile = new ProgramCallback<number>(() => ({
    // biome-ignore lint/suspicious/noThenProperty: a program may return one
    get then() {
      throw new Error('then');
    },
  }));
  hostile.call(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(hostile.failures).toBe(1);
});

test('calls that a callback causes itself are left out', () => {
  const values: number[] = [];
  const callback = new ProgramCallback<number>((value) => {
    values.push(value);
    callback.call(value + 1);
  });
  callback.call(1);
  callback.call(5);
  expect(values).toEqual([1, 5]);
});
