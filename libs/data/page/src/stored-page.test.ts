import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { Page } from './page.ts';
import { PageDecoder } from './page-decoder.ts';
import { PageKernel } from './page-kernel.ts';
import { PageWriter } from './page-writer.ts';

/** Pages by what they have, in hex, as docs/formats/page.md lays them out. A change there is a change of the format. */
const GOLDEN_FILE = new URL('page-v2.golden.json', import.meta.url);
const START_MS = 1_700_000_000_000;
const STEP_MS = 10_000;

const regular = times((i) => i * STEP_MS);
const jittered = times((i) => i * STEP_MS + ((i * 37) % 11));
const someMissing = jittered.filter((_, i) => i !== 3);
const BODIES: Readonly<Record<string, Float64Array<ArrayBuffer>>> = {
  constant: values(() => -7),
  frame: values((i) => [-3, 0.07, 5.1, -2.25, 1][i % 5]),
  delta: values((i) => 1e6 + 17 * i + (i % 3)),
  'with a shift': values((i) => 4096 * i * i),
  blocks: values((i) => Math.sqrt(i + 2)),
  exceptions: values((i) => ({ 1: -0, 8: Number.NaN, 20: Number.NEGATIVE_INFINITY })[i] ?? i / 2),
};

function times(timeOf: (i: number) => number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: 24 }, (_, i) => START_MS + timeOf(i));
}

function values(column: (i: number) => number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: 24 }, (_, i) => column(i));
}

function pages(): Record<string, string> {
  const writer = new PageWriter(new PageKernel());
  const finish = () => writer.finish({ mapEpoch: 2, fromOffset: 1000, toOffset: 1300 }).toString('hex');
  const made: Record<string, string> = {};
  for (const [name, column] of Object.entries(BODIES)) {
    writer.addValues(7, writer.times.add(regular, 0, regular.length), column, 0);
    made[name] = finish();
  }
  writer.addSketches(7, writer.times.add(regular, 0, 2), [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  made.sketches = finish();
  const shifted = regular.map((timeMs) => timeMs + 1500);
  [regular, shifted, jittered, someMissing, regular].forEach((own, i) => {
    writer.addValues(100 + 3 * i, writer.times.add(own, 0, own.length), BODIES.frame, 0, own.length);
  });
  made['all kinds of times'] = finish();
  return made;
}

it('writes the golden pages of its format, and reads them', async () => {
  const golden: Record<string, string> = JSON.parse(await readFile(GOLDEN_FILE, 'utf8'));
  expect(pages()).toEqual(golden);

  const decoder = new PageDecoder(new PageKernel());
  for (const [name, column] of Object.entries(BODIES)) {
    const page = new Page(Buffer.from(golden[name], 'hex'));
    decoder.decode(page, 0, decoder.freeAt);
    const found = decoder.floats.slice(decoder.freeAt / 8, decoder.freeAt / 8 + column.length);
    expect([name, found]).toEqual([name, column]);
  }
  const page = new Page(Buffer.from(golden['all kinds of times'], 'hex'));
  const found = [...page.series].map((_, slot) => page.times.timesOf(page.classOf(slot)).slice());
  expect(found).toEqual([regular, regular.map((timeMs) => timeMs + 1500), jittered, someMissing, regular]);
  expect(new Page(Buffer.from(golden.sketches, 'hex')).sketchesOf(0).map((one) => [...one])).toEqual([[1, 2], [3]]);
});
