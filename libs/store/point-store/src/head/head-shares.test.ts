import { expect, it } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import type { SeriesIndex } from '@tidemark/point-log';
import { finishAtOnce } from '@tidemark/ports';
import fc from 'fast-check';
import { PageCodec } from '../pages/page-codec.ts';
import { Selection } from '../series/selection.ts';
import { SeriesPoints } from '../series/series-columns.ts';
import { HeadView } from './head-view.ts';
import { PageHead } from './page-head.ts';

const BUCKET_MS = 3_600_000;
const STEP_MS = 10_000;
const SERIES = 200;
const codec = new PageCodec();
/** Readings of two metrics, of 150 and 50 series: pages of their own, and shared ones. */
const table = {
  length: SERIES,
  metric: (series: number) => (series % 4 === 0 ? 1 : 0),
  seriesClass: () => SERIES_CLASS.reading,
} as unknown as SeriesIndex;

/** Shares of a sender, one a step, of the series [from, to), whose times may differ. */
interface Sending {
  readonly range: readonly [from: number, to: number];
  /** The first step; undefined for the one behind the last that any of the series had. */
  readonly first: number | undefined;
  readonly steps: number;
  /** Every `off`-th series is `offMs` off. */
  readonly off: number;
  readonly offMs: number;
}

const RANGES: readonly (readonly [number, number])[] = [
  [0, SERIES],
  [170, 171],
  [171, SERIES],
  [100, SERIES],
  [0, 100],
];
const sendings: fc.Arbitrary<Sending[]> = fc.array(
  fc.record({
    range: fc.constantFrom(...RANGES),
    first: fc.option(fc.nat(40), { nil: undefined, freq: 4 }),
    steps: fc.constantFrom(1, 2, 15, 17, 33),
    off: fc.constantFrom(1000, 1000, 1, 7),
    offMs: fc.constantFrom(0, 1, 5000),
  }),
  { minLength: 1, maxLength: 6 },
);

it('has every point of long shares, also of senders that are ahead of others of a page', () => {
  fc.assert(
    fc.property(sendings, (all) => {
      const head = new PageHead(table, BUCKET_MS, codec.kernel);
      const { usedBytes } = codec.kernel.blocks;
      const wanted = Array.from({ length: SERIES }, () => '');
      const next = new Array<number>(SERIES).fill(0);
      const dictionary = Uint32Array.from({ length: SERIES }, (_, ref) => ref);
      let value = 0;
      for (const { range, first, steps, off, offMs } of all) {
        const refs = dictionary.subarray(...range);
        const start = first ?? Math.max(...next.slice(...range));
        for (let step = start; step < start + steps; step++) {
          const timesMs = Float64Array.from(refs, (ref) => step * STEP_MS + (ref % off === off - 1 ? offMs : 0));
          const values = Float64Array.from(refs, () => value++);
          head.append(1, dictionary, { refs, timesMs, values, length: refs.length });
          refs.forEach((ref, i) => {
            wanted[ref] += `${timesMs[i]} ${values[i]}\n`;
            next[ref] = Math.max(next[ref], step + 1);
          });
        }
      }
      expect(shown(head)).toEqual(wanted);
      head.close();
      expect(codec.kernel.blocks.usedBytes).toBe(usedBytes);
    }),
    { numRuns: 200 },
  );
});

it('has the values of new series where it has those of known ones, so that the memory is used again', () => {
  const own = new PageCodec();
  const { blocks } = own.kernel;
  const head = new PageHead(table, BUCKET_MS, own.kernel);
  const refs = Uint32Array.from({ length: SERIES }, (_, ref) => ref);
  const fill = (): number => {
    for (let step = 0; step < 60; step++) {
      const timesMs = new Float64Array(SERIES).fill(step * STEP_MS);
      head.append(1, refs, { refs, timesMs, values: new Float64Array(SERIES), length: SERIES });
    }
    return blocks.usedBytes;
  };
  const first = fill();
  const taken = blocks.usedBytes + blocks.freeBytes;
  head.clear(1);
  expect(fill()).toBe(first);
  expect(blocks.usedBytes + blocks.freeBytes).toBe(taken);
  head.close();
});

/** The times and values that the head has of each series. */
function shown(head: PageHead): string[] {
  const found = new Array<string>(SERIES).fill('');
  for (const columns of head.columns) {
    const view = new HeadView(columns);
    finishAtOnce(view.count(new Selection(Uint32Array.from({ length: SERIES }, (_, series) => series))));
    for (let series = 0; series < SERIES; series++) {
      const points = new SeriesPoints();
      view.addPoints(series, points, codec);
      for (let i = 0; i < points.length; i++) found[series] += `${points.timesMs[i]} ${points.values[i]}\n`;
    }
    view.release();
  }
  return found;
}
