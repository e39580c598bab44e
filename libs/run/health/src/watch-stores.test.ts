import { expect, test } from '@jest/globals';
import { watchStores } from './watch-stores.ts';

function setUp() {
  const reported: unknown[] = [];
  const logged: string[] = [];
  const listeners = watchStores(
    { report: (...problem) => void reported.push(problem) },
    {
      info: (message) => void logged.push(`info: ${message}`),
      error: (message) => void logged.push(`error: ${message}`),
      fatal: (error) => void logged.push(`fatal: ${error.message}`),
    },
  );
  return { reported, logged, listeners };
}

test('a halt is a problem of its partition until the partition continues', () => {
  const { reported, logged, listeners } = setUp();
  listeners.onHalted('points', 3, 0, 'wrong checksum');
  listeners.onResumed('points', 3);
  expect(reported).toEqual([
    ['halt', 'points/3', { code: 'data_loss', message: 'wrong checksum' }],
    ['halt', 'points/3', undefined],
  ]);
  expect(logged).toEqual(['error: points/3 is halted at offset 0', 'info: points/3 continues']);
});

test('a database that is built again stays reported, with the folder that the damaged one has now', () => {
  const { reported, logged, listeners } = setUp();
  listeners.onRebuilding('points', 1, 'wrong checksum in 000008.sst', 'points/1.damaged-7');
  const message = 'moved to points/1.damaged-7 of the data folder: wrong checksum in 000008.sst';
  expect(reported).toEqual([['rebuilt', 'points/1', { code: 'data_loss', message }]]);
  expect(logged).toEqual(['error: the store of points/1 is built again from the log']);
});

test('a problem of a store lasts until the store works again', () => {
  const { reported, logged, listeners } = setUp();
  const problem = { code: 'unavailable', message: 'no broker answers' } as const;
  listeners.onProblem('tags', 0, problem);
  listeners.onProblem('tags', 0, undefined);
  expect(reported).toEqual([
    ['store', 'tags/0', problem],
    ['store', 'tags/0', undefined],
  ]);
  expect(logged).toHaveLength(2);
});
