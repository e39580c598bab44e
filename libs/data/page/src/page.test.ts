import { describe, expect, it } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { TIME_LIMIT_MS } from '@tidemark/columns';
import { TidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { Page } from './page.ts';
import { PageDecoder } from './page-decoder.ts';
import { PAGE_SLOTS_LIMIT } from './page-format.ts';
import { PageKernel } from './page-kernel.ts';
import { PageWriter } from './page-writer.ts';

const kernel = new PageKernel();
const writer = new PageWriter(kernel);
const decoder = new PageDecoder(kernel, 1 << 20, 1 << 20);
const COLUMN_AT = 8 << 20;

interface Slot {
  readonly series: number;
  readonly timeClass: number;
  readonly values?: Float64Array<ArrayBuffer>;
  readonly sketches?: Uint8Array[];
}

interface Content {
  readonly classes: readonly Float64Array<ArrayBuffer>[];
  readonly slots: readonly Slot[];
}

function bitsOf(values: Float64Array<ArrayBuffer>): BigUint64Array {
  return new BigUint64Array(values.slice().buffer);
}

function encode({ classes, slots }: Content): Buffer {
  writer.clear();
  const numbers = classes.map((times, i) =>
    slots.some(({ timeClass }) => timeClass === i) ? writer.times.add(times, 0, times.length) : -1,
  );
  for (const { series, timeClass, values, sketches } of slots) {
    if (values !== undefined) writer.addValues(series, numbers[timeClass], values, 0);
    if (sketches !== undefined) writer.addSketches(series, numbers[timeClass], sketches);
  }
  return writer.finish({ mapEpoch: 3, fromOffset: 1000, toOffset: 1010 });
}

const special = new Float64Array(new BigUint64Array([0x7ff0_0000_0000_0002n, 0xfff8_dead_beef_0001n]).buffer);
const timesOf = fc.oneof(
  fc
    .record({
      start: fc.integer({ min: -1000, max: 1e12 }),
      step: fc.integer({ min: 0, max: 60_000 }),
      count: fc.integer({ min: 1, max: 100 }),
    })
    .map(({ start, step, count }) => Float64Array.from({ length: count }, (_, i) => start + i * step)),
  fc
    .record({
      start: fc.integer({ min: 0, max: 1e12 }),
      gaps: fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 100 }),
    })
    .map(({ start, gaps }) => {
      let time = start;
      return Float64Array.from([0, ...gaps], (gap) => (time += gap));
    }),
);
const someValue = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -100_000, max: 100_000 }).map((value) => value / 100) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, ...special) },
);
const contents = fc
  .record({
    // Those of one page are near each other, anywhere among the times that are allowed.
    originMs: fc.oneof(fc.constant(0), fc.integer({ min: 2000 - TIME_LIMIT_MS, max: TIME_LIMIT_MS - 2e12 })),
    base: timesOf,
    others: fc.array(timesOf, { maxLength: 3 }),
    slots: fc.array(
      fc.record({
        series: fc.integer({ min: 0, max: 0xffff_ffff }),
        which: fc.nat(),
        kept: fc.nat(),
        isSketch: fc.boolean(),
        sizes: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 20 }),
        values: fc.array(someValue, { minLength: 1, maxLength: 100 }),
      }),
      { minLength: 1, maxLength: 20 },
    ),
  })
  .map(({ originMs, base, others, slots }): Content => {
    // Some classes are a part of the first: a sender that missed some times.
    const parts = slots
      .slice(0, 4)
      .map(({ kept }) => base.filter((_, i) => i === 0 || ((kept >> (i % 7)) & 1) === 0))
      .filter((times) => times.length > 0);
    // Others began with it and ended earlier.
    const begins = slots.slice(0, 2).map(({ kept }) => base.slice(0, 1 + (kept % base.length)));
    const classes = [base, ...others, ...parts, ...begins].map((times) => times.map((timeMs) => originMs + timeMs));
    return {
      classes,
      slots: slots.map(({ series, which, isSketch, sizes, values }) => {
        const timeClass = which % classes.length;
        const { length } = classes[timeClass];
        if (!isSketch)
          return { series, timeClass, values: Float64Array.from({ length }, (_, i) => values[i % values.length]) };
        const sketches = Array.from({ length }, (_, i) => new Uint8Array(sizes[i % sizes.length]).fill(i));
        return { series, timeClass, sketches };
      }),
    };
  });

describe('a page', () => {
  it('gives back every series, time, bit of a value and byte of a sketch', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const page = encode(content);
        const reader = new Page(page);
        expect(reader).toMatchObject({ mapEpoch: 3, fromOffset: 1000, toOffset: 1010, slots: content.slots.length });
        expect([...reader.series]).toEqual(content.slots.map(({ series }) => series));
        content.slots.forEach(({ timeClass, values, sketches }, slot) => {
          const times = content.classes[timeClass];
          expect(reader.times.timesOf(reader.classOf(slot))).toEqual(times);
          expect(reader.countOf(slot)).toBe(times.length);
          expect(reader.hasSketches(slot)).toBe(sketches !== undefined);
          if (sketches !== undefined) expect(reader.sketchesOf(slot)).toEqual(sketches);
          if (values === undefined) return;
          decoder.decode(reader, slot, COLUMN_AT);
          const found = kernel.floats.slice(COLUMN_AT / 8, COLUMN_AT / 8 + times.length);
          expect(bitsOf(found)).toEqual(bitsOf(values));
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is refused, or read within its bounds, however its bytes were changed', () => {
    fc.assert(
      fc.property(
        contents,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
        (content, changes) => {
          const page = encode(content);
          const changed = Buffer.from(page);
          for (const [at, byte] of changes) changed[at % changed.length] = byte;
          if (!changed.equals(page)) expect(() => new Page(changed)).toThrow(TidemarkError);
          // A hostile page has a right checksum.
          changed.writeUInt32LE(crc32c(changed.subarray(0, -4)), changed.length - 4);
          try {
            const reader = new Page(changed);
            const { slots } = reader;
            for (let slot = 0; slot < slots; slot++) {
              if (reader.hasSketches(slot)) reader.sketchesOf(slot);
              else decoder.decode(reader, slot, COLUMN_AT);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(TidemarkError);
            expect((error as TidemarkError).code).toBe('data_loss');
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('is refused at every length that it could be cut to', () => {
    const times = Float64Array.from({ length: 60 }, (_, i) => 1_700_000_000_000 + i * 10_000);
    const slots = Array.from({ length: 5 }, (_, series) => ({
      series,
      timeClass: 0,
      values: times.map((_, i) => (i * series) / 10),
    }));
    const page = encode({ classes: [times], slots });
    for (let length = 0; length < page.length; length++) {
      expect(() => new Page(page.subarray(0, length))).toThrow(TidemarkError);
    }
  });
});

describe('memory of a page', () => {
  const times = Float64Array.from({ length: 60 }, (_, i) => 1000 * i);
  const pageOf = (series: readonly number[]): Buffer => {
    const values = Float64Array.from(times, (_, i) => Math.sqrt(i + 2));
    const slots = series.map((one) => ({ series: one, timeClass: 0, values }));
    return encode({ classes: [times], slots });
  };

  it('has a piece of its own, and keeps no larger one', () => {
    const bytes = pageOf([1, 2]);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  it('is shared with another page of the same series', () => {
    const { series } = new Page(pageOf([3, 7, 8]));
    expect(new Page(pageOf([3, 7, 8]), undefined, series).series).toBe(series);
    for (const other of [
      [3, 7, 9],
      [3, 7],
      [3, 7, 8, 9],
    ]) {
      expect([...new Page(pageOf(other), undefined, series).series]).toEqual(other);
    }
  });

  it('has positions of more than 16 bits where a page is that long', () => {
    const bytes = pageOf(Array.from({ length: PAGE_SLOTS_LIMIT }, (_, i) => i));
    expect(bytes.length).toBeGreaterThan(0xffff);
    const page = new Page(bytes);
    const last = PAGE_SLOTS_LIMIT - 1;
    decoder.decode(page, last, COLUMN_AT);
    expect(kernel.floats[COLUMN_AT / 8 + 59]).toBe(Math.sqrt(61));
    expect(page.bodyAt[last + 1]).toBeGreaterThan(0xffff);
  });
});
