import { describe, expect, test } from '@jest/globals';
import { ByteWriter, crc32c } from '@tidemark/bytes';
import { INTERVAL_LIMIT_MS, SERIES_CLASS } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { type BlockRecord, decodeRecord, encodeBareRecord, encodeRecord, RECORD } from './index.ts';

const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const offset = fc.integer({ min: -1, max: 2 ** 50 });
const small = fc.nat(100_000);

const block: fc.Arbitrary<BlockRecord> = fc.record({
  type: fc.constant(RECORD.block),
  partition: fc.nat(65_535),
  session: id,
  lane: small,
  epoch: small,
  sequence: fc.nat(2 ** 31 - 1),
  markMs: fc.integer({ min: 0, max: 2 ** 45 }),
  tagsOffset: offset,
  keyframeOffset: offset,
  era: offset,
  eraStartMs: offset,
  minTimeMs: offset,
  maxTimeMs: offset,
  points: small,
  definitions: fc.array(
    fc.record({
      dictionary: small,
      firstRef: small,
      series: fc.array(
        fc.record({
          metricId: fc.constantFrom(Buffer.alloc(16, 1), Buffer.alloc(16, 2)),
          seriesId: id,
          seriesClass: fc.constantFrom(...Object.values(SERIES_CLASS)),
          intervalMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: INTERVAL_LIMIT_MS })),
        }),
        { maxLength: 8 },
      ),
    }),
    { maxLength: 4 },
  ),
  spans: fc.array(
    fc.record({
      clientSession: id,
      sequence: small,
      mapEpoch: small,
      floor: small,
      frontierMs: fc.option(offset, { nil: undefined }),
      tenant: fc.constantFrom('default', 'acme'),
      dictionary: small,
      share: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    }),
    { maxLength: 4 },
  ),
});

describe('points record', () => {
  test('a decoded block equals the encoded one', () => {
    fc.assert(fc.property(block, (record) => expect(decodeRecord(encodeRecord(record))).toEqual(record)));
  });

  test('one flipped bit throws data_loss and never decodes to another record', () => {
    fc.assert(
      fc.property(block, fc.nat(), fc.nat(7), (record, at, bit) => {
        const bytes = encodeRecord(record);
        bytes[at % bytes.length] ^= 1 << bit;
        expect(() => decodeRecord(bytes)).toThrow(expect.objectContaining({ code: 'data_loss' }));
      }),
    );
  });

  test('a hostile body with a correct checksum throws data_loss or decodes to a record', () => {
    fc.assert(
      fc.property(block, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }), (record, edits) => {
        const bytes = encodeRecord(record);
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        const fixed = withChecksum(bytes.subarray(0, bytes.length - 4));
        try {
          decodeRecord(fixed);
        } catch (error) {
          if (!isTidemarkError(error, 'data_loss')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('golden: version 2 of each type', () => {
    const header = {
      partition: 3,
      session: Buffer.alloc(16, 7),
      lane: 2,
      epoch: 1,
      sequence: 5,
      markMs: 1_700_000_000_000,
      tagsOffset: 9,
      keyframeOffset: 4,
      era: 17,
      eraStartMs: 1_700_000_000_000,
    };
    for (const [name, type] of Object.entries(RECORD)) {
      if (type === RECORD.block) continue;
      expect({ name, bytes: encodeBareRecord({ ...header, type }).toString('hex') }).toMatchSnapshot();
    }
    const golden = encodeRecord({
      ...header,
      type: RECORD.block,
      minTimeMs: 1,
      maxTimeMs: 2,
      points: 1,
      definitions: [
        {
          dictionary: 1,
          firstRef: 0,
          series: [
            {
              metricId: Buffer.alloc(16, 1),
              seriesId: Buffer.alloc(16, 2),
              seriesClass: SERIES_CLASS.reading,
              intervalMs: 15_000,
            },
          ],
        },
      ],
      spans: [
        {
          clientSession: Buffer.alloc(16, 9),
          sequence: 8,
          mapEpoch: 1,
          floor: 7,
          frontierMs: 12,
          tenant: 'default',
          dictionary: 1,
          share: Buffer.from('share'),
        },
      ],
    });
    expect(golden.toString('hex')).toMatchSnapshot();
  });
});

function withChecksum(content: Uint8Array): Buffer {
  const out = new ByteWriter();
  out.bytes(content);
  out.u32(crc32c(content));
  return out.take();
}
