import { expect, test } from '@jest/globals';
import { watchStores } from './watch-stores.ts';

function setUp() {
  const told: unknown[] = [];
  const logged: string[] = [];
  const listeners = watchStores(
    { tell: (...problem) => void told.push(problem) },
    {
      info: (message) => void logged.push(`info: ${message}`),
      error: (message) => void logged.push(`error: ${message}`),
      fatal: (error) => void logged.push(`fatal: ${error.message}`),
    },
  );
  return { told, logged, listeners };
}

test('a halt is a problem of its partition until the partition reads on', () => {
  const { told, logged, listeners } = setUp();
  listeners.onHalted('points', 3, 0, 'wrong checksum');
  listeners.onResumed('points', 3);
  expect(told).toEqual([
    ['halt', 'points/3', { code: 'data_loss', message: 'wrong checksum' }],
    ['halt', 'points/3', undefined],
  ]);
  expect(logged).toEqual(['error: points/3 is halted at offset 0', 'info: points/3 goes on']);
});

test('a problem of a store lasts until the store works again', () => {
  const { told, logged, listeners } = setUp();
  const problem = { code: 'unavailable', message: 'no broker answers' } as const;
  listeners.onProblem('tags', 0, problem);
  listeners.onProblem('tags', 0, undefined);
  expect(told).toEqual([
    ['store', 'tags/0', problem],
    ['store', 'tags/0', undefined],
  ]);
  expect(logged).toHaveLength(2);
});
