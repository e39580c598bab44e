import { expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import fc from 'fast-check';
import { ClientDictionary } from './client-dictionary.ts';
import { unpublishedDays, unpublishedDaysOfShare } from './unpublished-days.ts';

const REFS = 8;
const ID = Buffer.alloc(16, 1);

const pairs = fc.array(fc.tuple(fc.nat(REFS - 1), fc.nat(3)), { maxLength: 60 });

test('each unpublished pair is listed once, equally for a share and for its columns', () => {
  fc.assert(
    fc.property(pairs, pairs, pairs, (numbers, packed, published) => {
      const dictionary = new ClientDictionary(1, 0);
      for (let ref = 0; ref < REFS; ref++)
        dictionary.add({ seriesId: ID, metricId: ID, seriesClass: SERIES_CLASS.reading }, undefined);
      for (const [ref, day] of published) dictionary.markPublished(day, ref, day);
      const points = new PointColumns();
      const sketches = new SketchColumns();
      // A series has numbers or sketches, and its points are in any order of time.
      for (const [ref, day] of numbers.filter(([ref]) => ref % 2 === 0).sort((a, b) => a[0] - b[0])) {
        points.push(ref, day * DAY_MS + 5, 1);
      }
      for (const [ref, day] of packed.filter(([ref]) => ref % 2 === 1).sort((a, b) => a[0] - b[0])) {
        sketches.push(ref, day * DAY_MS, Uint8Array.of(1));
      }
      const out = new ByteWriter();
      const summary = encodeShare(points, sketches, out);
      const listed = unpublishedDays(dictionary, points, sketches, summary);
      expect(unpublishedDaysOfShare(dictionary, out.take(), summary)).toEqual(listed);
      const keyOf = (ref: number, day: number) => `${ref}/${day}`;
      const done = new Set(published.map(([ref, day]) => keyOf(ref, day)));
      const expected = new Set(
        [points, sketches].flatMap(({ refs, timesMs, length }) =>
          Array.from({ length }, (_, i) => keyOf(refs[i], Math.floor(timesMs[i] / DAY_MS))),
        ),
      );
      expect(listed.map(({ ref, day }) => keyOf(ref, day)).sort()).toEqual(
        [...expected].filter((key) => !done.has(key)).sort(),
      );
    }),
  );
});
