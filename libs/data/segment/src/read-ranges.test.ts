import { describe, expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { below, TidemarkError } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { joinRanges, ReadBytes } from './read-ranges.ts';
import { SegmentBytes } from './segment.fixture.ts';

const seed = testSeed();
const LIMITS = { gapBytes: 10, readBytes: 100, parallelReads: 3 };
const range = (offset: number, length: number) => ({ offset, length });

describe('ranges are joined', () => {
  test('up to the gap', () => {
    expect(joinRanges([range(30, 5), range(0, 20), range(46, 1)], LIMITS)).toEqual([range(0, 35), range(46, 1)]);
  });

  test('up to the size of a read', () => {
    expect(joinRanges([range(0, 60), range(60, 40), range(100, 1)], LIMITS)).toEqual([range(0, 100), range(100, 1)]);
  });

  test('where they overlap, also beyond the size of a read', () => {
    expect(joinRanges([range(0, 150), range(10, 5), range(140, 200)], LIMITS)).toEqual([range(0, 340)]);
  });
});

test(`each range has its bytes (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const random = new SeededRandom(seed);
  const source = new SegmentBytes(random.bytes(2000));
  for (let run = 0; run < 200; run++) {
    const ranges = Array.from({ length: 1 + below(random, 30) }, () =>
      range(below(random, 1900), 1 + below(random, 99)),
    );
    const reads = joinRanges(ranges, LIMITS);
    reads.forEach(({ offset }, i) => {
      if (i > 0) expect(offset).toBeGreaterThanOrEqual(reads[i - 1].offset + reads[i - 1].length);
    });
    const bytes = await ReadBytes.of(source, reads, LIMITS);
    for (const one of ranges) {
      expect(bytes.at(one)).toEqual(source.bytes.subarray(one.offset, one.offset + one.length));
    }
  }
});

test('no further read begins after one has failed', async () => {
  let begun = 0;
  const readRange = async (offset: number, length: number): Promise<Uint8Array> => {
    begun++;
    await Promise.resolve();
    if (offset === 0) throw new TidemarkError('unavailable', 'slow down');
    return new Uint8Array(length);
  };
  const reads = Array.from({ length: 10 }, (_, i) => range(100 * i, 5));
  await expect(ReadBytes.of({ sizeBytes: 2000, readRange }, reads, LIMITS)).rejects.toThrow('slow down');
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toBe(3);
});

test('reads that wait are as many as the limit', async () => {
  let [waiting, most] = [0, 0];
  const readRange = async (_offset: number, length: number): Promise<Uint8Array> => {
    most = Math.max(most, ++waiting);
    await Promise.resolve();
    waiting--;
    return new Uint8Array(length);
  };
  const reads = Array.from({ length: 10 }, (_, i) => range(100 * i, 5));
  await ReadBytes.of({ sizeBytes: 2000, readRange }, reads, LIMITS);
  expect(most).toBe(3);
});
