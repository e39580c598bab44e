import { describe, expect, it, test } from '@jest/globals';
import { ByteWriter, crc32c } from '@tidemark/bytes';
import { BODY, HAS_EXCEPTIONS } from './column-entry.ts';
import { Page } from './page.ts';
import { PageDecoder } from './page-decoder.ts';
import { CLASSES, PAGE_VERSION, TIMES } from './page-format.ts';
import { PageKernel } from './page-kernel.ts';

const START_MS = 1_700_000_000_000;

/** What a page has, part by part; by default one slot of series 7 with 4 times, 10 s apart, and the value 3. */
interface Parts {
  readonly version: number;
  readonly slots: number;
  readonly minTimeMs: number;
  readonly rangeMs: number;
  /** How many times records there are, then the distances of their numbers. */
  readonly records: readonly number[];
  /** Runs of series: distance, and how many have it. */
  readonly series: readonly (readonly [distance: number, length: number])[];
  readonly classes: number;
  readonly times: (out: ByteWriter) => void;
  readonly classOf: readonly number[];
  readonly entries: readonly number[];
  readonly bodies: readonly number[];
  readonly exceptions: readonly number[];
}

const regular = (count: number, stepMs: number) => (out: ByteWriter) => {
  out.varint(count * 8 + TIMES.regular);
  out.varint(stepMs);
  out.varint(0);
};

const PLAIN: Parts = {
  ...{ version: PAGE_VERSION, slots: 1, minTimeMs: START_MS, rangeMs: 30_000, series: [[7, 1]], classes: 1 },
  ...{ records: [0], times: regular(4, 10_000), classOf: [CLASSES.one], exceptions: [] },
  // An integer of one byte: 3 in zigzag form.
  ...{ entries: [BODY.constant, 0, 1], bodies: [6] },
};

/** A page with these parts, and a right checksum. */
function pageOf(change: Partial<Parts>): Buffer {
  const parts = { ...PLAIN, ...change };
  const out = new ByteWriter();
  out.u8(parts.version);
  for (const number of [1, 100, 10, parts.slots]) out.varint(number);
  out.signedVarint(parts.minTimeMs);
  out.varint(parts.rangeMs);
  parts.records.forEach((number, i) => {
    if (i === 0) out.varint(number);
    else out.signedVarint(number);
  });
  for (const [distance, length] of parts.series) {
    out.signedVarint(distance);
    out.varint(length);
  }
  out.varint(parts.classes);
  parts.times(out);
  for (const bytes of [parts.classOf, parts.entries, parts.bodies, parts.exceptions]) out.bytes(Uint8Array.from(bytes));
  out.u32(crc32c(out.view()));
  return out.take();
}

const decoder = new PageDecoder(new PageKernel());

/** The values of all slots. */
function valuesOf(bytes: Uint8Array): number[][] {
  const page = new Page(bytes);
  return Array.from(page.series, (_, slot) => {
    if (page.hasSketches(slot)) return page.sketchesOf(slot).map(({ length }) => length);
    decoder.decode(page, slot, decoder.freeAt);
    return [...decoder.floats.subarray(decoder.freeAt / 8, decoder.freeAt / 8 + page.countOf(slot))];
  });
}

const head = (kind: number, exponent = 0) => kind | (exponent << 3);
const packed = [BODY.frame, 8, 0x01];

test('the parts of the other cases are a page', () => {
  expect(valuesOf(pageOf({}))).toEqual([[3, 3, 3, 3]]);
});

describe('a page with a right checksum is data_loss, with what is wrong,', () => {
  const cases: Record<string, readonly [change: Partial<Parts>, says: RegExp]> = {
    'of a newer version': [{ version: PAGE_VERSION + 1 }, /version 3, this program reads 2/],
    'of version 0': [{ version: 0 }, /version 0/],
    'without slots': [{ slots: 0 }, /without slots/],
    'with 257 slots': [{ slots: 257, series: [[7, 257]] }, /257.*256/],
    'with a time that overflows': [{ minTimeMs: 2 ** 51 - 1, rangeMs: 1 }, /beyond 2\^51/],
    'with a range that overflows': [{ rangeMs: 2 ** 52 }, /beyond 2\^51/],
    'with a time before all': [{ minTimeMs: -(2 ** 51) }, /beyond 2\^51/],
    'with a step that overflows': [{ times: regular(4096, 2 ** 50) }, /beyond 2\^51/],
    'with other times than it says': [{ rangeMs: 30_001 }, /times from .* not from/],
    'with a class of no times': [{ times: regular(0, 1) }, /a class of 0 times/],
    'with a class of too many times': [{ times: regular(4097, 1) }, /a class of 4097 times \(limit: 4096\)/],
    'with more classes than slots': [{ classes: 2 }, /classes/],
    'without a class': [{ classes: 0 }, /no class/],
    'with a shifted class first': [{ times: (out) => out.varint(TIMES.shifted) }, /without regular times before/],
    'with too many times records': [{ records: [5, 7, 1, 1, 1, 1] }, /5 times records \(limit: 4\)/],
    'with a times record before the first': [{ records: [1, -1] }, /a times record of number -1/],
    'with a times record beyond the last': [{ records: [1, 2 ** 48] }, /a times record of number/],
    'with a times record that is not there': [{ records: [1, 7] }, /record 7, which is not there/],
    'with times of a record that it does not name': [
      {
        times: (out) => {
          out.varint(8 + TIMES.recorded);
          out.varint(0);
        },
      },
      /times of record 0 of 0/,
    ],
    'with a run of no classes': [{ times: (out) => out.varint(TIMES.recorded) }, /a run of 0 recorded classes/],
    'with a run of more classes than it has': [
      { times: (out) => out.varint(16 + TIMES.recorded) },
      /a run of 2 recorded classes/,
    ],
    'with an unknown kind of times': [{ times: (out) => out.varint(8 + 5) }, /unknown kind 5 of times/],
    'with a part of itself': [{ times: (out) => out.varint(TIMES.subset) }, /not before it/],
    'with series before the first': [{ series: [[-1, 1]] }, /series/],
    'with series beyond the last': [{ series: [[2 ** 32, 1]] }, /series/],
    'with more series than slots': [{ series: [[7, 2]] }, /series/],
    'with a run of no series': [{ series: [[7, 0]] }, /a run without series/],
    'with a slot of another class': [{ classOf: [CLASSES.listed, 1] }, /slot 0 of class 1/],
    'with an unknown list of classes': [{ classOf: [3] }, /unknown kind 3/],
    'with an unknown kind': [{ entries: [5, 0, 1] }, /unknown kind 5 of slot 0/],
    'with an exponent of 15': [{ entries: [head(BODY.frame, 15), 8, 1] }, /an exponent of 15 \(limit: 14\)/],
    'with a width of 53': [{ entries: [BODY.frame, 53, 1] }, /a width of 53 bits \(limit: 52\)/],
    'with a width of 63': [{ entries: [BODY.frame, 63, 1] }, /a width of 63 bits/],
    'with a width and shift of 56': [{ entries: [BODY.frame, 44 | (3 << 6), 1] }, /a width of 44 bits/],
    'with an integer of 8 bytes': [{ entries: [BODY.constant, 0, 8] }, /an integer of 8 bytes \(limit: 7\)/],
    'with a body beyond its end': [{ entries: packed, bodies: [6, 1, 2, 3] }, /page/],
    'with a long body beyond its end': [{ entries: [head(BODY.blocks, 15), 255, 255] }, /page/],
    'with bytes after its end': [{ bodies: [6, 6] }, /1 bytes after the end/],
    'with more exceptions than values': [
      { entries: [BODY.constant | HAS_EXCEPTIONS, 0, 1], exceptions: [5] },
      /exceptions of 4 values/,
    ],
    'with an exception beyond its values': [
      { entries: [BODY.constant | HAS_EXCEPTIONS, 0, 1], exceptions: [1, 4, 0] },
      /an exception at 4 of 4 values/,
    ],
    'with an unknown exception': [
      { entries: [BODY.constant | HAS_EXCEPTIONS, 0, 1], exceptions: [1, 0, 3] },
      /unknown code 3/,
    ],
    'with exceptions of sketches': [
      { entries: [BODY.sketches | HAS_EXCEPTIONS, 4, 0], bodies: [0, 0, 0, 0] },
      /exceptions of slot 0/,
    ],
    'with sketches beyond their body': [{ entries: [BODY.sketches, 4, 0], bodies: [0, 0, 0, 9] }, /page/],
    'with too few sketches': [{ entries: [BODY.sketches, 3, 0], bodies: [0, 0, 0] }, /page/],
    'with bytes after its sketches': [
      { entries: [BODY.sketches, 5, 0], bodies: [0, 0, 0, 0, 0] },
      /after the sketches/,
    ],
    'with blocks that are none': [{ entries: [BODY.blocks, 2, 0], bodies: [255, 255] }, /page/],
  };
  it.each(Object.entries(cases))('%s', (_, [change, says]) => {
    const bytes = pageOf(change);
    expect(() => valuesOf(bytes)).toThrow(
      expect.objectContaining({ code: 'data_loss', message: expect.stringMatching(says) }),
    );
  });
});

test('what a few bytes unpack to is bounded: 256 slots of 4,096 values', () => {
  const times = (out: ByteWriter) => {
    regular(4096, 1)(out);
    for (let i = 1; i < 256; i++) out.varint(TIMES.shifted);
  };
  const entries = Array.from({ length: 256 }, () => PLAIN.entries).flat();
  const bytes = pageOf({
    ...{
      slots: 256,
      series: [
        [0, 1],
        [1, 255],
      ],
      classes: 256,
      rangeMs: 4095,
      times,
      classOf: [CLASSES.own],
      entries,
    },
    bodies: new Array<number>(256).fill(6),
  });
  expect(bytes.length).toBeLessThan(2000);
  const page = new Page(bytes);
  // No value and no time of a regular class is unpacked before it is asked for.
  expect(page.times.sizeBytes).toBe(256 * 64);
  expect(valuesOf(bytes)).toEqual(new Array(256).fill(new Array(4096).fill(3)));
});

test('a page has nothing in memory for its exceptions but its bytes', () => {
  const [slots, count] = [256, 4096];
  const own = [0, 0];
  const exceptions = [...Buffer.from([0x80, 0x20]), ...Array.from({ length: count }, () => own).flat()];
  const bytes = pageOf({
    ...{ slots, series: [[7, slots]], times: regular(count, 10), rangeMs: 10 * (count - 1) },
    entries: Array.from({ length: slots }, () => [BODY.constant | HAS_EXCEPTIONS, 0, 1]).flat(),
    bodies: Array.from({ length: slots }, () => 6),
    exceptions: Array.from({ length: slots }, () => exceptions).flat(),
  });
  const before = process.memoryUsage().heapUsed;
  const pages = [new Page(bytes), new Page(bytes)];
  const grown = process.memoryUsage().heapUsed - before;
  expect(grown).toBeLessThan(bytes.length);
  for (const page of pages) {
    decoder.decode(page, slots - 1, decoder.freeAt);
    const values = decoder.floats.subarray(decoder.freeAt / 8, decoder.freeAt / 8 + count);
    expect(values.every((value) => Object.is(value, -0))).toBe(true);
  }
});
