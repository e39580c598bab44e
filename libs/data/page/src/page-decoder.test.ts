import { expect, test } from '@jest/globals';
import { Page } from './page.ts';
import { PageDecoder } from './page-decoder.ts';
import { PageKernel } from './page-kernel.ts';
import { PageWriter } from './page-writer.ts';

const ARENA_BYTES = 64 * 1024;

test('decodes every slot of a page that is larger than the arena, where callers have the memory behind it', () => {
  const slots = 40;
  const count = 2000;
  const columns = Array.from({ length: slots }, (_, slot) =>
    Float64Array.from({ length: count }, (_, i) => ((slot + 1) * i * 7919) % 60_013),
  );
  const writer = new PageWriter(new PageKernel());
  columns.forEach((column, series) => {
    writer.addValues(series, writer.times.addRegular(0, 1000, count), column, 0);
  });
  const page = new Page(writer.finish({ mapEpoch: 1, fromOffset: 0, toOffset: 1 }));
  expect(page.bytes.length).toBeGreaterThan(2 * ARENA_BYTES);

  const kernel = new PageKernel();
  const decoder = new PageDecoder(kernel, kernel.start, ARENA_BYTES);
  const wrong = columns.flatMap((column, slot) => {
    const at = decoder.freeAt;
    decoder.decode(page, slot, at);
    const found = decoder.floats.subarray(at / 8, at / 8 + count);
    return column.every((value, i) => value === found[i]) ? [] : [slot];
  });
  expect(wrong).toEqual([]);
});
