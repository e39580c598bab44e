import { expect, test } from '@jest/globals';
import { Readiness } from './readiness.ts';

test('readiness is starting, then the reason of the parts, and leaving permanently', () => {
  const readiness = new Readiness();
  expect(readiness.notReady).toBe('starting');
  let reason: string | undefined = 'waiting for Kafka';
  readiness.set(() => reason);
  expect(readiness.notReady).toBe('waiting for Kafka');
  reason = undefined;
  expect(readiness.notReady).toBeUndefined();
  readiness.leave();
  readiness.set(() => undefined);
  expect(readiness.notReady).toBe('leaving');
});
