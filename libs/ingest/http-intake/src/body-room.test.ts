import { describe, expect, test } from '@jest/globals';
import { BodyRoom } from './body-room.ts';

describe('room for bodies', () => {
  test('is bounded over all, and by tenant, each by its own error', () => {
    const room = new BodyRoom({ bodiesBytes: 100, bodiesBytesPerTenant: 60 });
    const release = room.take('a', 60);
    expect(() => room.take('a', 1)).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        detail: expect.objectContaining({ limit: 'bodiesBytesPerTenant' }),
      }),
    );
    room.take('b', 40);
    expect(() => room.take('c', 1)).toThrow(
      expect.objectContaining({ code: 'unavailable', detail: expect.objectContaining({ limit: 'bodiesBytes' }) }),
    );
    release();
    release();
    expect(room.bytes).toBe(40);
    room.take('a', 60)();
    expect(room.bytes).toBe(40);
  });

  test('lets as many be decoded at once as it may, the others in order, and goes on after one that fails', async () => {
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
