import { expect, test } from '@jest/globals';
import { Started, stopEach } from './started.ts';

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

test('what was started is stopped once, the newest first, and its errors are told unless a start has failed', async () => {
  const stopped: string[] = [];
  const started = new Started();
  const add = () => {
    started.add(async () => {
      stopped.push('log');
      throw new Error('the log');
    });
    started.add(async () => void stopped.push('stores'));
  };
  add();
  await expect(started.stop()).rejects.toThrow('the log');
  await started.stop();
  expect(stopped).toEqual(['stores', 'log']);
  add();
  await started.undo();
  expect(stopped).toEqual(['stores', 'log', 'stores', 'log']);
});
