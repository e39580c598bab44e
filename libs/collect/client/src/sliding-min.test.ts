import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SlidingMin } from './sliding-min.ts';

test('the minimum of a queue is that of its values, in any order of pushes and removals', () => {
  const operation = fc.oneof(fc.record({ push: fc.integer({ min: -50, max: 50 }) }), fc.record({ drop: fc.nat(5) }));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const sliding = new SlidingMin();
      const model: number[] = [];
      let next = 0;
      let first = 0;
      for (const one of operations) {
        if ('push' in one) {
          sliding.push(next++, one.push);
          model.push(one.push);
        } else {
          first = Math.min(next, first + one.drop);
          sliding.removeBelow(first);
        }
        expect(sliding.min()).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.slice(first)));
      }
    }),
  );
});
