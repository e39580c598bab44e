import { describe, expect, test } from '@jest/globals';
import { ByteWriter, crc32c, fromHex, toHex } from '@tidemark/bytes';
import { KIND } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { type BadBytes, readRecords } from './read-records.ts';
import { decodeHeader, decodeRecord, encodeHeader, encodeRecord, type SpoolRecord } from './spool-format.ts';

const HEADER = {
  kind: 2,
  clientSession: fromHex('000102030405060708090a0b0c0d0e0f'),
  nextSequence: 7,
  createdMs: 1_767_225_600_000,
} as const;

const RECORDS: readonly SpoolRecord[] = [
  { type: 'tenant', tenant: 'acme' },
  {
    type: 'series',
    first: 0,
    series: [
      { metric: 'depth', kind: KIND.gauge, tags: ['env:prod', 'queue:mail'] },
      { metric: 'grüße', kind: KIND.count, tags: [] },
    ],
  },
  { type: 'intervals', numbers: [0, 300], intervalsMs: [15_000, 2_678_400_000] },
  { type: 'refs', range: { epoch: 3, partition: 5, firstRef: 2, numbers: [1, 0, 300] } },
  { type: 'waiting', batch: { number: 4, points: 2, minTimeMs: 1_767_225_601_000, share: Buffer.from('share') } },
  {
    type: 'stamped',
    batch: {
      ...{ number: 5, points: 2, minTimeMs: -1, sequence: 6, epoch: 3, stampedMs: 1_767_225_602_000 },
      batch: Buffer.from('batch'),
    },
  },
  { type: 'settled', numbers: [5, 4, 9] },
  {
    type: 'extent',
    extent: { file: 3, kind: 3, endBytes: 70_000, nextSequence: 8, numbers: [5, 4], points: [2, 300] },
  },
  { type: 'removed', files: [2, 1] },
  { type: 'ended' },
  { type: 'unsure', numbers: [4, 9], points: [1, 200] },
];
const NEW_IN_V3 = ['extent', 'removed', 'ended', 'unsure'];

/** Version 3, with a record of each type. */
const GOLDEN_V3 =
  '544d535003020000000102030405060708090a0b0c0d0e0f0000000000001c40000080aa6db779427e5e806806000000226b0121010461636d6529000000f978c695020002056465707468010208656e763a70726f640a71756575653a6d61696c076772c3bcc39f6502000c0000008acae997040200d804987580c894fd0909000000e932eb5c03030502030201d8040e000000228f5d71100402d0afd5edee6673686172651100000046c72a9f110502010603a0bfd5edee66626174636805000000009d2ed712030a010a0d00000054f02451130303f0a20408020a0102ac0204000000db7baf2914020401010000002280d27715070000008709a1cb1602080a01c801';

/** Version 1, which never changes. A newer version gets a golden file of its own. */
const GOLDEN_V1 =
  '544d535001020000000102030405060708090a0b0c0d0e0f0000000000001c40000080aa6db779420629190f06000000226b0121010461636d6529000000f978c695020002056465707468010208656e763a70726f640a71756575653a6d61696c076772c3bcc39f65020009000000e932eb5c03030502030201d8040e000000228f5d71100402d0afd5edee6673686172651100000046c72a9f110502010603a0bfd5edee66626174636805000000009d2ed712030a010a';

/** Version 2, which has no index, likewise. */
const GOLDEN_V2 =
  '544d535002020000000102030405060708090a0b0c0d0e0f0000000000001c40000080aa6db77942c2e54c5b06000000226b0121010461636d6529000000f978c695020002056465707468010208656e763a70726f640a71756575653a6d61696c076772c3bcc39f6502000c0000008acae997040200d804987580c894fd0909000000e932eb5c03030502030201d8040e000000228f5d71100402d0afd5edee6673686172651100000046c72a9f110502010603a0bfd5edee66626174636805000000009d2ed712030a010a';

function fileOf(records: readonly SpoolRecord[]): Buffer {
  const out = new ByteWriter();
  out.bytes(encodeHeader(HEADER));
  for (const record of records) encodeRecord(record, out);
  return out.take();
}

function recordsOf(bytes: Uint8Array): { records: SpoolRecord[]; badBytes: number } {
  let badBytes = 0;
  const placed = [
    ...readRecords(bytes, (bad) => {
      badBytes += bad.bytes.length;
    }),
  ];
  return { records: placed.map(({ record }) => record), badBytes };
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (isTidemarkError(error)) return error.code;
    throw error;
  }
}

describe('the spool format', () => {
  test('equals its golden file', () => {
    expect(toHex(fileOf(RECORDS))).toBe(GOLDEN_V3);
    expect(decodeHeader(fromHex(GOLDEN_V3).subarray(0, 44), 'f')).toEqual({ ...HEADER, version: 3 });
    expect(recordsOf(fromHex(GOLDEN_V3))).toEqual({ records: RECORDS, badBytes: 0 });
  });

  test('reads version 2, which has no index', () => {
    expect(decodeHeader(fromHex(GOLDEN_V2).subarray(0, 44), 'f')).toEqual({ ...HEADER, version: 2 });
    const records = RECORDS.filter(({ type }) => !NEW_IN_V3.includes(type));
    expect(recordsOf(fromHex(GOLDEN_V2))).toEqual({ records, badBytes: 0 });
  });

  test('reads version 1, which has no intervals', () => {
    expect(decodeHeader(fromHex(GOLDEN_V1).subarray(0, 44), 'f')).toEqual({ ...HEADER, version: 1 });
    const records = RECORDS.filter(({ type }) => type !== 'intervals' && !NEW_IN_V3.includes(type));
    expect(recordsOf(fromHex(GOLDEN_V1))).toEqual({ records, badBytes: 0 });
  });

  test('refuses a newer version with the file and what to do', () => {
    const bytes = encodeHeader(HEADER);
    bytes[4] = 4;
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, 40)), 40);
    expect(() => decodeHeader(bytes, 'spool/0a/1.waiting')).toThrow(
      /spool\/0a\/1\.waiting has format 4 \(limit: 3\): start the newer version .* or move/,
    );
  });

  test('any flipped bit of a header is damage, also of its version', () => {
    const header = encodeHeader(HEADER);
    for (let bit = 0; bit < header.length * 8; bit++) {
      const bad = Buffer.from(header);
      bad[bit >> 3] ^= 1 << (bit & 7);
      expect(codeOf(() => decodeHeader(bad, 'f'))).toBe('data_loss');
    }
  });

  test('loses only the torn record of a torn tail', () => {
    const bytes = fileOf(RECORDS);
    for (let size = 44; size < bytes.length; size++) {
      const { records, badBytes } = recordsOf(bytes.subarray(0, size));
      expect(records).toEqual(RECORDS.slice(0, records.length));
      expect(fileOf(records).length + badBytes).toBe(size);
    }
  });

  test('loses only the record of a flipped bit, also of a length', () => {
    const bytes = fileOf(RECORDS);
    for (let at = 44; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bad = Buffer.from(bytes);
        bad[at] ^= 1 << bit;
        const { records, badBytes } = recordsOf(bad);
        expect(badBytes).toBeGreaterThan(0);
        expect(records).toHaveLength(RECORDS.length - 1);
        for (const record of records) expect(RECORDS).toContainEqual(record);
      }
    }
  });

  test('knows which record a flipped bit was in, also that of the last one', () => {
    for (const record of RECORDS) {
      const bytes = fileOf([record]);
      for (let bit = 44 * 8; bit < bytes.length * 8; bit++) {
        const bad = Buffer.from(bytes);
        bad[bit >> 3] ^= 1 << (bit & 7);
        const found: BadBytes[] = [];
        expect([...readRecords(bad, (one) => found.push(one))]).toEqual([]);
        expect(found).toEqual([{ bytes: bad.subarray(44), position: 44, isEnd: false, record }]);
      }
    }
  });

  test('throws only data_loss or failed_precondition for hostile bytes', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(fc.constantFrom(1, 2, 3, 4, 16, 17, 18, 19, 20, 21, 22), fc.uint8Array({ maxLength: 40 }))
        .map(([type, rest]) => {
          return Uint8Array.from([type, ...rest]);
        }),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        for (const decode of [() => decodeRecord(bytes), () => decodeHeader(bytes, 'f')]) {
          expect([undefined, 'data_loss', 'failed_precondition']).toContain(codeOf(decode));
        }
        recordsOf(Buffer.concat([encodeHeader(HEADER), bytes]));
      }),
      { numRuns: 2000 },
    );
  });
});
