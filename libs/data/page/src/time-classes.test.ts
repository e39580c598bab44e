import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Page } from './page.ts';
import { PageKernel } from './page-kernel.ts';
import { PageWriter } from './page-writer.ts';

const START_MS = 1_700_000_000_000;
const writer = new PageWriter(new PageKernel());
const SOURCE = { mapEpoch: 1, fromOffset: 0, toOffset: 1 };

/** A page of a slot for each of these columns of times. */
function pageOf(columns: readonly (readonly number[])[]): Page {
  columns.forEach((times, series) => {
    const timesMs = Float64Array.from(times);
    writer.addValues(series, writer.times.add(timesMs, 0, timesMs.length), new Float64Array(timesMs.length), 0);
  });
  return new Page(writer.finish(SOURCE));
}

function ascending(gaps: readonly number[]): number[] {
  let timeMs = START_MS;
  return gaps.map((gap) => (timeMs += gap));
}

const regular = fc.integer({ min: 1, max: 20 }).map((count) => ascending(new Array<number>(count).fill(10_000)));
const jittered = fc.array(fc.integer({ min: 9990, max: 10_010 }), { minLength: 2, maxLength: 300 }).map(ascending);
const equal = fc.array(fc.constantFrom(0, 0, 1000), { minLength: 1, maxLength: 20 }).map(ascending);
/** Columns, and those of them that lack some times of the one before: subsets. */
const columns = fc
  .array(fc.tuple(fc.oneof(regular, jittered, equal), fc.boolean()), { minLength: 1, maxLength: 12 })
  .map((all) => all.flatMap(([times, isCut]) => (isCut ? [times, times.filter((_, i) => i % 5 !== 3)] : [times])));

test('times of pages that are read in turn are those that were written', () => {
  fc.assert(
    fc.property(columns, columns, fc.integer({ min: -5, max: 300 }), (a, b, rounds) => {
      const pages = [pageOf(a), pageOf(b)];
      const fromMs = START_MS + rounds * 10_000;
      for (let slot = 0; slot < Math.max(a.length, b.length); slot++) {
        for (const [i, all] of [a, b].entries()) {
          if (slot >= all.length) continue;
          const { times } = pages[i];
          const timeClass = pages[i].classOf(slot);
          const before = all[slot].filter((timeMs) => timeMs < fromMs).length;
          expect(times.countBefore(timeClass, fromMs)).toBe(before);
          expect([...times.timesOf(timeClass)]).toEqual(all[slot]);
          const copy = new Float64Array(all[slot].length + 2);
          times.copyTimes(timeClass, copy, 1);
          expect([...copy]).toEqual([0, ...all[slot], 0]);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a page that was read keeps no times in memory but those of subsets', () => {
  const times = ascending(Array.from({ length: 1000 }, (_, i) => 10_000 + (i % 7)));
  const page = pageOf([times, times.map((timeMs) => timeMs + 3)]);
  expect(page.times.size).toBe(2);
  expect(page.times.sizeBytes).toBeLessThan(1000);
  const some = times.filter((_, i) => i % 10 !== 3);
  expect(pageOf([times, some]).times.sizeBytes).toBe(8 * some.length + 2 * 64);
});
