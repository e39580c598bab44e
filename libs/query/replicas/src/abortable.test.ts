import { expect, test } from '@jest/globals';
import { abortable } from './abortable.ts';

test('abortable settles as its promise does while the signal does not abort', async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve(1), signal)).toBe(1);
  await expect(abortable(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
});

test('abortable rejects with the reason of the signal, aborted before or during the wait', async () => {
  const never = new Promise<never>(() => {});
  await expect(abortable(never, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  const abort = new AbortController();
  const settled = expect(abortable(never, abort.signal)).rejects.toThrow('meanwhile');
  abort.abort(new Error('meanwhile'));
  await settled;
});
