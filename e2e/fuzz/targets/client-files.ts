import { isDeepStrictEqual } from 'node:util';
import { ByteWriter, crc32c } from '@tidemark/bytes';
import { IndexState } from '../../../libs/collect/client/src/index-state.ts';
import { readRecords } from '../../../libs/collect/client/src/read-records.ts';
import {
  decodeHeader,
  encodeHeader,
  encodeRecord,
  FILE_KIND,
  SPOOL_HEADER_BYTES,
  type SpoolRecord,
} from '../../../libs/collect/client/src/spool-format.ts';
import { type FuzzTarget, holds, parsed } from '../target.ts';

const SESSION = Buffer.alloc(16, 5);
const RECORDS: readonly SpoolRecord[] = [
  { type: 'tenant', tenant: 'default' },
  { type: 'series', first: 0, series: [{ metric: 'cpu', kind: 1, tags: ['env:prod', 'host:a'] }] },
  { type: 'intervals', numbers: [0], intervalsMs: [10_000] },
  { type: 'refs', range: { epoch: 1, partition: 2, firstRef: 0, numbers: [0, 5, 3] } },
  { type: 'waiting', batch: { number: 1, points: 2, minTimeMs: 5, share: Buffer.of(1, 0, 0) } },
  { type: 'settled', numbers: [1, 2, 3] },
  { type: 'extent', extent: { file: 2, kind: 2, endBytes: 90, nextSequence: 1, numbers: [1], points: [2] } },
  { type: 'removed', files: [1] },
  { type: 'ended' },
  { type: 'unsure', numbers: [1], points: [1] },
];

function fileOf(records: readonly SpoolRecord[]): Buffer {
  const out = new ByteWriter();
  out.bytes(encodeHeader({ kind: FILE_KIND.definitions, clientSession: SESSION, nextSequence: 3, createdMs: 4 }));
  for (const record of records) encodeRecord(record, out);
  return out.take();
}

/** Corrects the checksum of each record that is framed, so that mutations reach its content. */
function resealed(input: Buffer): Buffer {
  const sealed = Buffer.from(input);
  for (let at = SPOOL_HEADER_BYTES; at + 8 <= sealed.length; ) {
    const end = at + 8 + sealed.readUInt32LE(at);
    if (end > sealed.length) break;
    sealed.writeUInt32LE(crc32c(sealed.subarray(at + 8, end)), at + 4);
    at = end;
  }
  return sealed;
}

function rewritten(index: IndexState): IndexState {
  const again = new IndexState();
  for (const record of index.records()) again.apply(record);
  return again;
}

const contentOf = ({ files, settled, unsure }: IndexState): unknown => [files, settled, unsure];

export const SPOOL: FuzzTarget = {
  name: 'spool',
  maxGrownBytes: 2 ** 20,
  // A wrong length costs nothing in a file that is shorter than it.
  maxMsPerMebibyte: 1500,
  // Records by their lengths and types, which reach far into the file; the checksums are wrong.
  repeats: [
    ['h'.repeat(SPOOL_HEADER_BYTES), '\x10\x00\x01\x00', ''],
    ['h'.repeat(SPOOL_HEADER_BYTES), '\x12\x00\x02\x00bad!\x12', ''],
  ],
  seeds: () => [fileOf([]), fileOf(RECORDS), ...RECORDS.map((record) => fileOf([record]))],
  run: (input) => {
    parsed(['data_loss', 'failed_precondition'], () => decodeHeader(input, 'fuzzed'));
    for (const bytes of [input, resealed(input)]) {
      let bad = 0;
      let good = 0;
      const index = new IndexState();
      const records = readRecords(bytes, ({ bytes: skipped }) => {
        bad += skipped.length;
      });
      for (const { record, sizeBytes } of records) {
        good += sizeBytes;
        index.apply(record);
      }
      const expected = Math.max(0, bytes.length - SPOOL_HEADER_BYTES);
      holds(good + bad === expected, () => `${good} good and ${bad} bad bytes of ${expected}`);
      holds(isDeepStrictEqual(contentOf(rewritten(index)), contentOf(index)), () => 'a rewritten index says the same');
    }
  },
};
