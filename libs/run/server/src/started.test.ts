import { expect, test } from '@jest/globals';
import { Started, stopEach } from './started.ts';

test('every part is stopped even if another fails to stop, and the first error is thrown', async () => {
  const stopped: string[] = [];
  const stop = (name: string, error?: Error) => async () => {
    stopped.push(name);
    if (error !== undefined) throw error;
  };
  const stopping = stopEach([stop('http', new Error('first')), stop('stores', new Error('second')), stop('log')]);
  await expect(stopping).rejects.toThrow('first');
  expect(stopped).toEqual(['http', 'stores', 'log']);
});

test('started parts are stopped once, the newest first, and their errors are thrown unless a start has failed', async () => {
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
