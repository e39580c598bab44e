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
    // A tenant may have as much as it leaves free.
    room.reserve('b', 20);
    expect(() => room.reserve('c', 11)).toThrow(expect.objectContaining({ code: 'unavailable' }));
    room.reserve('c', 10);
    expect(() => room.reserve('c', 1)).toThrow(
      expect.objectContaining({ code: 'unavailable', detail: expect.objectContaining({ limit: 'bodiesBytes' }) }),
    );
    release();
    release();
    expect(room.bytes).toBe(30);
    room.reserve('a', 35)();
    expect(room.bytes).toBe(30);
  });

  test('as many bodies as allowed are decoded at once, half of them of one tenant', async () => {
    const room = new BodyRoom({ decodings: 4 });
    const gate = Promise.withResolvers<void>();
    const started: string[] = [];
    const all = ['a', 'a', 'a', 'b', 'c', 'd'].map((tenant) =>
      room.decode(tenant, async () => {
        started.push(tenant);
        await gate.promise;
      }),
    );
    await Promise.resolve();
    expect(started).toEqual(['a', 'a', 'b', 'c']);
    gate.resolve();
    await Promise.all(all);
    expect(started).toHaveLength(6);
  });
});
