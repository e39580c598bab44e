import { beforeAll, describe, expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import { decodeAll, encodeOne, pointsOf, SegmentBytes } from './segment.fixture.ts';
import { Segment } from './segment.ts';
import { FOOTER_BYTES } from './segment-footer.ts';
import { smallSeries } from './small-segment.fixture.ts';
import { verifySegment } from './verify-segment.ts';

let whole: Buffer;
const points = pointsOf(smallSeries());

beforeAll(async () => {
  whole = await encodeOne(smallSeries());
});

/** The code of the error of reading all; undefined where it gives all points. */
async function reading(bytes: Uint8Array): Promise<string | undefined> {
  try {
    expect(await decodeAll(new SegmentBytes(bytes))).toEqual(points);
    return undefined;
  } catch (error) {
    if (isTidemarkError(error)) return error.code;
    throw error;
  }
}

const verify = async (bytes: Uint8Array) => verifySegment(await Segment.open(new SegmentBytes(bytes)));

describe('a damaged segment', () => {
  test('with any flipped bit has all of its points, or is data_loss', async () => {
    const codes = new Set<string | undefined>();
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      codes.add(await reading(bytes));
    }
    expect([...codes].sort()).toEqual(['data_loss', undefined]);
  });

  test('with any flipped bit is found by a check of all of it', async () => {
    await verify(whole);
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      await expect(verify(bytes)).rejects.toMatchObject({ code: 'data_loss' });
    }
  });

  test('that ends anywhere is data_loss', async () => {
    for (let length = 0; length < whole.length; length++) {
      expect([length, await reading(whole.subarray(0, length))]).toEqual([length, 'data_loss']);
    }
  });

  test('that lacks its beginning is data_loss', async () => {
    for (let from = 1; from < whole.length; from += 7) {
      expect([from, await reading(whole.subarray(from))]).toEqual([from, 'data_loss']);
    }
  });

  test('names the place of a page with another content', async () => {
    const bytes = Buffer.from(whole);
    bytes[140] ^= 1;
    await expect(decodeAll(new SegmentBytes(bytes))).rejects.toMatchObject({
      code: 'data_loss',
      message: expect.stringMatching(/^segment: .*wrong checksum.* \(at byte \d+ of the segment\)$/),
      detail: { offset: expect.any(Number), length: expect.any(Number) },
    });
  });
});

test('a segment of a newer version is failed_precondition, and says what to do', async () => {
  const bytes = Buffer.from(whole);
  const versionAt = bytes.length - 16;
  bytes.writeUInt32LE(2, versionAt);
  bytes.writeUInt32LE(crc32c(bytes.subarray(bytes.length - FOOTER_BYTES, versionAt + 4)), versionAt + 4);
  await expect(Segment.open(new SegmentBytes(bytes))).rejects.toMatchObject({
    code: 'failed_precondition',
    message: 'the segment has format 2, this program reads 1; update this program',
    detail: { version: 2, limit: 1 },
  });
});

test('a source that returns too little is data_loss', async () => {
  const readRange = async (offset: number, length: number) => whole.subarray(offset, offset + length - 1);
  await expect(Segment.open({ sizeBytes: whole.length, readRange })).rejects.toMatchObject({ code: 'data_loss' });
});
