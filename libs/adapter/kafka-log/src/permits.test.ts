import { expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { Permits } from './permits.ts';

const LONG_MS = 20_000;

test('waiting callers are served in order, and a request for the total is met', async () => {
  const permits = new Permits('inFlightBytes', 10, 8, new SystemClock());
  const order: string[] = [];
  const first = await permits.take(8, LONG_MS);
  const large = permits.take(1000, LONG_MS).then((taken) => {
    order.push('large');
    return taken;
  });
  const small = permits.take(1, LONG_MS).then((taken) => {
    order.push('small');
    return taken;
  });
  permits.give(first);
  permits.give(await large);
  permits.give(await small);
  expect(order).toEqual(['large', 'small']);
  expect(await permits.take(10, LONG_MS)).toBe(10);
});

test('an error names the limit when too many callers wait, or too long, and later callers are served', async () => {
  const permits = new Permits('readConnections', 1, 1, new SystemClock());
  const held = await permits.take(1, LONG_MS);
  const waiting = permits.take(1, 20);
  await expect(permits.take(1, LONG_MS)).rejects.toMatchObject({
    code: 'resource_exhausted',
    detail: { limit: 'readConnections', busy: true },
  });
  await expect(waiting).rejects.toMatchObject({
    code: 'deadline_exceeded',
    detail: { limit: 'readConnections', busy: true },
  });
  permits.give(held);
  permits.give(await permits.take(1, LONG_MS));
});
