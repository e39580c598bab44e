import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { partsOf } from './parts.ts';

test('parts have all bytes in order, and all but the last are full', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.uint8Array({ maxLength: 12 })),
    fc.integer({ min: 1, max: 7 }),
    async (chunks, size) => {
      async function* stream() {
        yield* chunks;
      }
      const parts: Buffer[] = [];
      const lasts: boolean[] = [];
      for await (const { bytes, isLast } of partsOf(stream(), size)) {
        parts.push(Buffer.from(bytes));
        lasts.push(isLast);
      }
      const whole = Buffer.concat(chunks);
      expect(Buffer.compare(Buffer.concat(parts), whole)).toBe(0);
      expect(parts).toHaveLength(Math.max(1, Math.ceil(whole.length / size)));
      for (const part of parts.slice(0, -1)) expect(part.length).toBe(size);
      expect(lasts).toEqual(parts.map((_, i) => i === parts.length - 1));
    },
  );
  await fc.assert(property);
});
