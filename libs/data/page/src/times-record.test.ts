import { readFile } from 'node:fs/promises';
import { describe, expect, it, test } from '@jest/globals';
import { ByteWriter, crc32c } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { Page } from './page.ts';
import { PageKernel } from './page-kernel.ts';
import { recordNumbersOf } from './page-summary.ts';
import { PageWriter } from './page-writer.ts';
import { SharedTimes } from './shared-times.ts';
import { TIMES_RECORD_VERSION, TimesRecord } from './times-record.ts';
import { TimesWriter } from './times-writer.ts';

/** A record in hex, as docs/formats/times-record.md lays it out. A change there is a change of the format. */
const GOLDEN_FILE = new URL('times-record-v1.golden.json', import.meta.url);
const START_MS = 1_700_000_000_000;
const SOURCE = { mapEpoch: 1, fromOffset: 0, toOffset: 1 };
const writer = new PageWriter(new PageKernel());

const jittered = (seed: number) =>
  Float64Array.from({ length: 24 }, (_, i) => START_MS + 15_000 * i + ((i * (37 + seed)) % 11) + 100 * seed);

/** Pages whose slots have these times, and the records that they need. */
function written(pages: readonly (readonly SharedTimes[])[], times: TimesWriter) {
  const bytes = pages.map((slots) => {
    slots.forEach((own, series) => {
      const timeClass = writer.times.addShared(own, times.placeOf(own));
      writer.addValues(series, timeClass, new Float64Array(own.timesMs.length), 0);
    });
    return writer.finish(SOURCE);
  });
  return { bytes, records: times.take() };
}

function read(bytes: Uint8Array, records: readonly TimesRecord[]): Page {
  const stored = new Map(records.map(({ number, bytes }) => [number, new TimesRecord(bytes)]));
  return new Page(bytes, (number) => stored.get(number));
}

const timesOf = (page: Page) => [...page.series].map((_, slot) => [...page.times.timesOf(page.classOf(slot))]);

const column = fc
  .array(fc.oneof(fc.constant(10_000), fc.integer({ min: 0, max: 20_000 })), { minLength: 1, maxLength: 200 })
  .map((gaps) => {
    let timeMs = START_MS;
    return new SharedTimes(Float64Array.from(gaps, (gap) => (timeMs += gap)));
  });
const columns = fc.array(column, { minLength: 1, maxLength: 12 });
/** Pages that have some of the columns, in any order. */
const stories = columns.chain((all) =>
  fc.array(fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 }),
);

test('pages read the times that they were written with, and each column is stored once', () => {
  fc.assert(
    fc.property(stories, fc.nat(2 ** 40), fc.boolean(), (pages, number, isOneTaken) => {
      const times = new TimesWriter({ deal: 5, originMs: START_MS }, number, number + 4096);
      const first = isOneTaken ? written(pages.slice(0, 1), times) : { bytes: [], records: [] };
      const rest = written(isOneTaken ? pages.slice(1) : pages, times);
      const records = [...first.records, ...rest.records];
      const bytes = [...first.bytes, ...rest.bytes];
      bytes.forEach((one, i) => {
        const page = read(one, records);
        expect(timesOf(page)).toEqual(pages[i].map(({ timesMs }) => [...timesMs]));
        expect(page.recordNumbers).toEqual(recordNumbersOf(one));
      });
      const different = new Set(pages.flat().map(({ timesMs }) => timesMs.join()));
      expect(records.reduce((sum, { columns }) => sum + columns.length, 0)).toBe(different.size);
      const steps = pages.map((slots) => slots.map(({ stepMs }) => stepMs));
      const found = bytes.map((one) => read(one, records));
      expect(
        found.map((page) => [...page.series.keys()].map((slot) => page.times.at(page.classOf(slot)).stepMs)),
      ).toEqual(steps);
    }),
  );
});

test('a record says whose it is', () => {
  const { records } = written([[new SharedTimes(jittered(1))]], new TimesWriter({ deal: 5, originMs: START_MS }, 7, 8));
  expect(records.map(({ deal, number, originMs }) => [deal, number, originMs])).toEqual([[5, 7, START_MS]]);
});

test('a damaged record is data_loss, or has the times that it had', () => {
  const shared = [0, 1, 2].map((seed) => new SharedTimes(jittered(seed)));
  const { records } = written([shared], new TimesWriter({ deal: 5, originMs: START_MS }, 7, 8));
  const { bytes } = records[0];
  for (let length = 0; length < bytes.length; length++) {
    expect(() => new TimesRecord(bytes.subarray(0, length))).toThrow(TidemarkError);
  }
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] ^= 1 << (bit & 7);
    expect(() => new TimesRecord(changed)).toThrow(expect.objectContaining({ code: 'data_loss' }));
    changed.writeUInt32LE(crc32c(changed.subarray(0, -4)), changed.length - 4);
    try {
      for (const { count, firstMs, lastMs } of new TimesRecord(changed).columns) {
        expect(count).toBeGreaterThan(0);
        expect(lastMs).toBeGreaterThanOrEqual(firstMs);
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'data_loss' });
    }
  }
});

describe('a record with a right checksum is data_loss, with what is wrong,', () => {
  const regular = [2, 0, 0, 0];
  const cases: Record<string, readonly [version: number, columns: number, body: readonly number[], says: RegExp]> = {
    'of a newer version': [TIMES_RECORD_VERSION + 1, 1, regular, /version 2, this program reads 1/],
    'without columns': [TIMES_RECORD_VERSION, 0, [], /no column/],
    'of too many columns': [TIMES_RECORD_VERSION, 257, [], /257 columns \(limit: 256\)/],
    'with a column without times': [TIMES_RECORD_VERSION, 1, [0], /without times/],
    'with bytes after its end': [TIMES_RECORD_VERSION, 1, [...regular, 0], /1 bytes after the end/],
    'with times that descend': [TIMES_RECORD_VERSION, 1, [2, 1, 0, 0, 1], /times descend/],
    'with fewer columns than it says': [TIMES_RECORD_VERSION, 2, regular, /times record/],
  };
  it.each(Object.entries(cases))('%s', (_, [version, count, body, says]) => {
    const out = new ByteWriter();
    out.u8(version);
    out.varint(1);
    out.varint(7);
    out.signedVarint(START_MS);
    out.varint(count);
    out.bytes(Uint8Array.from(body));
    out.u32(crc32c(out.view()));
    expect(() => new TimesRecord(out.take())).toThrow(
      expect.objectContaining({ code: 'data_loss', message: expect.stringMatching(says) }),
    );
  });
});

describe('a page is data_loss', () => {
  const shared = [0, 1].map((seed) => new SharedTimes(jittered(seed)));
  const { bytes, records } = written([shared], new TimesWriter({ deal: 5, originMs: START_MS }, 7, 8));

  it('without a times record that it needs', () => {
    expect(() => new Page(bytes[0])).toThrow(/times in record 7, which is not there/);
  });

  it.each([
    ['of fewer columns', [shared[0]], /column 1 of times of 1/],
    ['of other times', [0, 3].map((seed) => new SharedTimes(jittered(seed))), /times from .* not from/],
  ])('with a times record %s', (_, others, says) => {
    const other = written([others], new TimesWriter({ deal: 5, originMs: START_MS }, 7, 8));
    expect(() => read(bytes[0], other.records)).toThrow(
      expect.objectContaining({ code: 'data_loss', message: expect.stringMatching(says) }),
    );
  });

  it('is read with its own', () => {
    expect(timesOf(read(bytes[0], records))).toEqual(shared.map(({ timesMs }) => [...timesMs]));
  });
});

test('a record has 256 columns at most, and times without a number are in their page', () => {
  const shared = Array.from(
    { length: 600 },
    (_, seed) => new SharedTimes(Float64Array.of(0, 1, 3).map((ms) => START_MS + 5 * seed + ms)),
  );
  const pages = [shared.slice(0, 200), shared.slice(200, 400), shared.slice(400)];
  const times = new TimesWriter({ deal: 5, originMs: START_MS }, 3, 5);
  const { bytes, records } = written(pages, times);
  expect(records.map(({ number, columns }) => [number, columns.length])).toEqual([
    [3, 256],
    [4, 256],
  ]);
  const found = bytes.map((one) => read(one, records));
  expect(found.map(({ recordNumbers }) => recordNumbers)).toEqual([[3], [3, 4], [4]]);
  found.forEach((page, i) => {
    expect(timesOf(page)).toEqual(pages[i].map(({ timesMs }) => [...timesMs]));
  });
  // A run of columns is a few bytes, and a page with a record has no times.
  expect(bytes[0].length).toBeLessThan(1100);
});

test('a page has the times of records of which it needs few columns', () => {
  const shared = Array.from({ length: 6 * 256 }, (_, seed) => new SharedTimes(jittered(seed)));
  const times = new TimesWriter({ deal: 5, originMs: START_MS }, 0, 4096);
  const dense = Array.from({ length: 6 }, (_, i) => shared.slice(256 * i, 256 * (i + 1)));
  // 100 of the first record, 30 of the second, which are less than an eighth, 3 of each other.
  const sparse = [
    ...shared.slice(0, 100),
    ...shared.slice(256, 286),
    ...dense.slice(2).flatMap((one) => one.slice(0, 3)),
  ];
  // 70, 65 and 32 of three.
  const scattered = [...shared.slice(0, 70), ...shared.slice(256, 321), ...shared.slice(512, 544)];
  const pages = [...dense, sparse, scattered];
  const { bytes, records } = written(pages, times);
  const found = bytes.map((one) => read(one, records));
  expect(found.map(({ recordNumbers }) => recordNumbers)).toEqual([[0], [1], [2], [3], [4], [5], [0], [0, 1, 2]]);
  found.forEach((page, i) => {
    expect(timesOf(page)).toEqual(pages[i].map(({ timesMs }) => [...timesMs]));
  });
});

test('a page needs four records at most, those of which it has the most columns', () => {
  const shared = Array.from({ length: 6 }, (_, seed) =>
    Array.from({ length: 4 + seed }, (_, i) => new SharedTimes(jittered(100 * seed + i))),
  );
  const times = new TimesWriter({ deal: 5, originMs: START_MS }, 0, 4096);
  const records = shared.flatMap((columns) => written([columns], times).records);
  const { bytes } = written([shared.flat()], times);
  const page = read(bytes[0], records);
  expect(page.recordNumbers).toEqual([2, 3, 4, 5]);
  expect(timesOf(page)).toEqual(shared.flat().map(({ timesMs }) => [...timesMs]));
});

test('what was forgotten is written again, under another number', () => {
  const shared = new SharedTimes(jittered(1));
  const times = new TimesWriter({ deal: 5, originMs: START_MS }, 0, 4096);
  const first = written([[shared]], times);
  expect(written([[shared]], times).records).toEqual([]);
  expect(times.sizeBytes).toBeGreaterThan(0);
  times.forget();
  expect(times.sizeBytes).toBe(0);
  const again = written([[shared]], times);
  expect([...first.records, ...again.records].map(({ number }) => number)).toEqual([0, 1]);
});

it('writes the golden record of its format, and reads it', async () => {
  const golden: Record<string, string> = JSON.parse(await readFile(GOLDEN_FILE, 'utf8'));
  const shared = [0, 1, 2].map((seed) => new SharedTimes(jittered(seed)));
  const { bytes, records } = written(
    [shared, shared.toReversed()],
    new TimesWriter({ deal: 5, originMs: START_MS - 5000 }, 4096, 4097),
  );
  const made = [...bytes, ...records.map((record) => record.bytes)].map((one) => Buffer.from(one).toString('hex'));
  expect(made).toEqual([golden['page in order'], golden['page in reverse'], golden.record]);
  const record = new TimesRecord(Buffer.from(golden.record, 'hex'));
  const page = new Page(Buffer.from(golden['page in reverse'], 'hex'), () => record);
  expect(timesOf(page)).toEqual(shared.toReversed().map(({ timesMs }) => [...timesMs]));
});
