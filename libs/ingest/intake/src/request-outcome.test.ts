import { expect, test } from '@jest/globals';
import { retryResult, settledResult } from './request-outcome.ts';

const LEFT_OUT = { reason: 'value_nan', field: 'value', limit: 'a number', points: 2, message: '' };
const CAUSE = { reason: 'log_full', field: 'log', limit: 'the space of the log', points: 0, message: '' };

test('a request without good points is refused, and an empty one is not', () => {
  expect(settledResult([LEFT_OUT], 0).outcome).toBe('refused');
  expect(settledResult([LEFT_OUT], 1)).toMatchObject({ outcome: 'acked', acceptedPoints: 1, retryAfterMs: 0 });
  expect(settledResult([], 0).outcome).toBe('acked');
});

test('a retry names its cause last and accepts nothing', () => {
  expect(retryResult([LEFT_OUT], CAUSE)).toEqual({
    outcome: 'retry',
    acceptedPoints: 0,
    rejections: [LEFT_OUT, CAUSE],
    retryAfterMs: 1000,
  });
});
