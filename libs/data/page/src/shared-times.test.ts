import { expect, it } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import fc from 'fast-check';
import { SharedTimes } from './shared-times.ts';
import { TimeClasses } from './time-classes.ts';

const ascendingTimes = fc
  .array(fc.nat(20_000), { minLength: 1, maxLength: 70 })
  .map((steps) => Float64Array.from(steps, (_, i) => steps.slice(0, i + 1).reduce((sum, step) => sum + step, 0)));

it('writes what times of one page are written as, also in pages that begin at another time', () => {
  fc.assert(
    fc.property(fc.array(ascendingTimes, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(3)), (all, offsets) => {
      const shared = all.map((times) => new SharedTimes(times));
      // The first class moves the begin of the page.
      for (const offset of [0, ...offsets, 0]) {
        const [own, common] = [new TimeClasses(), new TimeClasses()];
        for (const classes of [own, common]) classes.addRegular(-offset, 0, 1);
        all.forEach((times, i) => {
          expect(common.addShared(shared[i])).toBe(own.add(times, 0, times.length));
        });
        const [wanted, found] = [new ByteWriter(), new ByteWriter()];
        own.write(wanted);
        common.write(found);
        expect(found.take()).toEqual(wanted.take());
      }
    }),
  );
});

it('refuses times that no page may have', () => {
  expect(() => new SharedTimes(Float64Array.of())).toThrow('1 to 4096 times, not 0');
  expect(() => new SharedTimes(Float64Array.of(5, 4))).toThrow('do not descend');
  expect(() => new SharedTimes(Float64Array.of(0.5))).toThrow('no time of a point: 0.5');
});
