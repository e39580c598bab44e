import { expect, test } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import { Page, PageKernel, PageWriter } from '@tidemark/page';
import { Selection } from '../series/selection.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { PageStack } from './page-stack.ts';
import { SlotLists } from './slot-lists.ts';
import { Timelines } from './timelines.ts';

const PAGES = 100;
const SERIES = 2000;

test('timelines that no series share are kept within a bound of their pages', () => {
  const writer = new PageWriter(new PageKernel());
  const versions = Array.from({ length: PAGES }, (_, i) => {
    writer.addValues(0, writer.times.addRegular(1000 * i, 0, 1), Float64Array.of(i), 0);
    return new Page(writer.finish({ mapEpoch: 1, fromOffset: i, toOffset: i + 1 }));
  });
  const stack = new PageStack(versions[0], new Selection([0]));
  for (const page of versions.slice(1)) expect(stack.accepts(page)).toBe(true);
  // Each series has a statement of intervals of its own.
  const statements = Array.from({ length: SERIES }, () => ({}));
  const known = {
    table: { seriesClass: () => SERIES_CLASS.reading },
    intervals: { of: (series: number) => statements[series] },
  } as unknown as Pick<PartitionStore, 'table'> & { intervals: never };
  const lists = new SlotLists(SERIES);
  for (let ordinal = 0; ordinal < SERIES; ordinal++) lists.add(ordinal, 0, 0);
  const range = { fromMs: 0, toMs: 1000 * PAGES, context: 0, neededSinceMs: 0 };
  const timelines = new Timelines(known, [stack], lists, () => range);
  let most = 0;
  for (let ordinal = 0; ordinal < SERIES; ordinal++) {
    expect(timelines.of(ordinal, ordinal).pages.length).toBe(PAGES);
    most = Math.max(most, timelines.keptPages);
  }
  expect(most).toBeGreaterThan(60_000);
  expect(most).toBeLessThanOrEqual(65_536);
});
