import { describe, expect, test } from '@jest/globals';
import { BodyRoom } from './body-room.ts';

describe('room for bodies', () => {
  test('room is bounded for all tenants and per tenant, each with its own error', () => {
    const room = new BodyRoom({ bodiesBytes: 100, bodiesBytesPerTenant: 60 });
    const release = room.reserve('a', 60);
    expect(() => room.reserve('a', 1)).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        detail: expect.objectContaining({ limit: 'bodiesBytesPerTenant' }),
      }),
    );
    room.reserve('b', 40);
    expect(() => room.reserve('c', 1)).toThrow(
      expect.objectContaining({ code: 'unavailable', detail: expect.objectContaining({ limit: 'bodiesBytes' }) }),
    );
    release();
    release();
    expect(room.bytes).toBe(40);
    room.reserve('a', 60)();
    expect(room.bytes).toBe(40);
  });

  test('as many bodies as allowed are decoded at once, the others follow in order, also after a failure', async () => {
    const room = new BodyRoom({ decodings: 2 });
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const started: number[] = [];
    const decodings = gates.map((gate, i) =>
      room.decode(async () => {
        started.push(i);
        await gate.promise;
        return i;
      }),
    );
    expect(started).toEqual([0, 1]);
    gates[1].reject(new Error('malformed'));
    await expect(decodings[1]).rejects.toThrow('malformed');
    expect(started).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    expect(await Promise.allSettled(decodings)).toMatchObject([
      { value: 0 },
      { status: 'rejected' },
      { value: 2 },
      { value: 3 },
      { value: 4 },
    ]);
    expect(started).toEqual([0, 1, 2, 3, 4]);
    expect(await room.decode(async () => 5)).toBe(5);
  });
});
