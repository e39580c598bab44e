import { expect, test } from '@jest/globals';
import { stopEach } from './started.ts';

test('a part that fails to stop keeps no other from it, and the first error is told', async () => {
  const stopped: string[] = [];
  const stop = (name: string, error?: Error) => async () => {
    stopped.push(name);
    if (error !== undefined) throw error;
  };
  const stopping = stopEach([stop('http', new Error('first')), stop('stores', new Error('second')), stop('log')]);
  await expect(stopping).rejects.toThrow('first');
  expect(stopped).toEqual(['http', 'stores', 'log']);
});
