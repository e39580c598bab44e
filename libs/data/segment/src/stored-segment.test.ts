import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { decodeAll, encodeOne, HEAD, pointsOf, SegmentBytes } from './segment.fixture.ts';
import { Segment } from './segment.ts';
import { smallSeries } from './small-segment.fixture.ts';

/** A segment in hex, as docs/formats/segment.md lays it out. A change there is a change of the format. */
const GOLDEN_FILE = new URL('segment-v1.golden.json', import.meta.url);

test('writes the golden segment of its format, and reads it', async () => {
  const golden: { segment: string } = JSON.parse(await readFile(GOLDEN_FILE, 'utf8'));
  expect({ segment: (await encodeOne(smallSeries())).toString('hex') }).toEqual(golden);

  const source = new SegmentBytes(Buffer.from(golden.segment, 'hex'));
  const segment = await Segment.open(source);
  expect(segment.head).toEqual(HEAD);
  expect(segment.counts).toMatchObject({ metrics: 3, groups: 4, series: 7 });
  expect(await decodeAll(source)).toEqual(pointsOf(smallSeries()));
});
