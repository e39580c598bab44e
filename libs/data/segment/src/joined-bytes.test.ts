import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { below } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { JoinedBytes } from './joined-bytes.ts';
import { joinRanges, type ReadLimits } from './read-ranges.ts';
import type { SegmentRange } from './segment-group.ts';

const seed = testSeed();

test(`joined bytes are those of the reads of any ranges, in any order (TIDEMARK_TEST_SEED=${seed})`, () => {
  const random = new SeededRandom(seed);
  for (let run = 0; run < 100; run++) {
    const gapBytes = below(random, 40);
    const joined = new JoinedBytes(gapBytes);
    const ranges = Array.from({ length: 1 + below(random, 30) }, () => ({
      offset: below(random, 2000),
      length: 1 + below(random, 60),
    }));
    for (const [i, range] of ranges.entries()) {
      joined.addAll([range]);
      expect(joined.sizeBytes).toBe(bytesOf(ranges.slice(0, i + 1), { gapBytes, readBytes: Number.POSITIVE_INFINITY }));
      expect(joined.sizeBytes).toBeGreaterThanOrEqual(bytesOf(ranges.slice(0, i + 1), { gapBytes, readBytes: 100 }));
    }
  }
});

function bytesOf(ranges: readonly SegmentRange[], limits: Pick<ReadLimits, 'gapBytes' | 'readBytes'>): number {
  return joinRanges(ranges, { ...limits, parallelReads: 1 }).reduce((sum, { length }) => sum + length, 0);
}
