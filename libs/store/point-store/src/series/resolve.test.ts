import { describe, expect, it } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import fc from 'fast-check';
import { compactPoints } from './resolve.ts';

/** Ascending times, some of which come later than they should. */
const timesWithStragglers = fc
  .array(fc.record({ stepMs: fc.integer({ min: 0, max: 3 }), lateMs: fc.oneof(fc.constant(0), fc.nat(40)) }), {
    minLength: 1,
    maxLength: 60,
  })
  .chain((all) => fc.record({ all: fc.constant(all), lateShare: fc.constantFrom(1, 3, 10, 100) }))
  .map(({ all, lateShare }) => {
    let timeMs = 1000;
    return all.map(({ stepMs, lateMs }, i) => {
      timeMs += stepMs;
      return i % lateShare === lateShare - 1 ? timeMs - lateMs : timeMs;
    });
  });

describe('compactPoints', () => {
  it('sorts readings by time and keeps the later of equal times, however many are late', () => {
    fc.assert(
      fc.property(timesWithStragglers, fc.nat(5), (times, from) => {
        const wanted = new Map<number, number>();
        times.forEach((timeMs, i) => {
          wanted.set(timeMs, i);
        });
        const before = Array.from({ length: from }, () => 9);
        const timesMs = Float64Array.from([...before, ...times]);
        const values = Float64Array.from([...before, ...times.keys()]);
        const end = compactPoints(SERIES_CLASS.reading, timesMs, values, from, timesMs.length);
        const found = Array.from(timesMs.subarray(from, end), (timeMs, i) => [timeMs, values[from + i]]);
        expect(found).toEqual([...wanted].sort(([a], [b]) => a - b));
        expect([...timesMs.subarray(0, from)]).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it('adds up counts of equal times', () => {
    fc.assert(
      fc.property(timesWithStragglers, (times) => {
        const wanted = new Map<number, number>();
        times.forEach((timeMs, i) => {
          wanted.set(timeMs, (wanted.get(timeMs) ?? 0) + i);
        });
        const timesMs = Float64Array.from(times);
        const values = Float64Array.from(times.keys());
        const end = compactPoints(SERIES_CLASS.count, timesMs, values, 0, times.length);
        const found = Array.from(timesMs.subarray(0, end), (timeMs, i) => [timeMs, values[i]]);
        expect(found).toEqual([...wanted].sort(([a], [b]) => a - b));
      }),
    );
  });
});
