import { expect, test } from '@jest/globals';
import { Page, PageKernel, PageWriter, SharedTimes, TimesRecord, TimesWriter } from '@tidemark/page';
import { HeldRecords } from './held-records.ts';

const writer = new PageWriter(new PageKernel());
const place = { bucket: 3, deal: 5 };

/** A page whose times are in record 7, and a function that reads both again. */
function page(): () => Page {
  const times = new SharedTimes(Float64Array.of(0, 1, 3));
  const records = new TimesWriter({ deal: 1, originMs: 0 }, 7, 8);
  writer.addValues(1, writer.times.addShared(times, records.placeOf(times)), new Float64Array(3), 0);
  const bytes = writer.finish({ mapEpoch: 1, fromOffset: 0, toOffset: 1 });
  const [record] = records.take();
  return () => new Page(bytes, () => new TimesRecord(record.bytes));
}

test('a record is counted once for all of its pages, and found until the last one goes', () => {
  const read = page();
  const [first, held] = [read(), new HeldRecords()];
  const [record] = first.records;
  held.add(place, first);
  held.add(place, first);
  expect([held.bytes, held.find(place, 7)]).toEqual([record.sizeBytes, record]);
  expect([held.find(place, 8), held.find({ ...place, deal: 6 }, 7)]).toEqual([undefined, undefined]);
  held.remove(place, first);
  expect([held.bytes, held.find(place, 7)]).toEqual([record.sizeBytes, record]);
  held.remove(place, first);
  expect([held.bytes, held.find(place, 7)]).toEqual([0, undefined]);
});

test('a record that two queries have read is counted twice while pages have both', () => {
  const read = page();
  const [first, second, held] = [read(), read(), new HeldRecords()];
  held.add(place, first);
  held.add(place, second);
  expect(held.bytes).toBe(2 * first.records[0].sizeBytes);
  held.remove(place, first);
  expect([held.bytes, held.find(place, 7)]).toEqual([second.records[0].sizeBytes, second.records[0]]);
  held.remove(place, second);
  expect([held.bytes, held.find(place, 7)]).toEqual([0, undefined]);
});
