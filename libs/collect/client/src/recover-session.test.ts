import { describe, expect, test } from '@jest/globals';
import { ByteWriter, crc32c, toHex } from '@tidemark/bytes';
import { KIND } from '@tidemark/model';
import { type Disk, type DiskFile, TidemarkError } from '@tidemark/ports';
import { IndexState } from './index-state.ts';
import { readRecords } from './read-records.ts';
import { recoverSession, SEQUENCES_SKIPPED } from './recover-session.ts';
import {
  type DataFileKind,
  encodeHeader,
  encodeRecord,
  FILE_KIND,
  type FileKind,
  type SpoolRecord,
} from './spool-format.ts';
import { fileName, fileOfName, sessionsOf } from './spool-names.ts';

const SESSION = new Uint8Array(16).fill(0xa5);
const FOLDER = `spool/${toHex(SESSION)}`;
const INDEX = `${toHex(SESSION)}.00000001.index`;
const HEADER_BYTES = 44;
const SECTOR_BYTES = 512;

type Files = Map<string, Buffer>;

/** A disk that can only be read. */
function readOnly(files: Files): Disk {
  const refuse = async () => {
    throw new TidemarkError('unavailable', 'this disk is only read');
  };
  const open = async (path: string): Promise<DiskFile> => {
    const bytes = files.get(path.split('/').at(-1) ?? '') ?? Buffer.of();
    return {
      read: async (target, position) => bytes.copy(target, 0, position),
      ...{ sizeBytes: async () => bytes.length, sync: async () => undefined, close: async () => undefined },
      ...{ write: refuse, truncate: refuse },
    };
  };
  const list = async () => [...files.keys()].filter((name) => name !== INDEX);
  return { open, list, rename: refuse, remove: refuse, lock: refuse, space: refuse };
}

function recover(files: Files, maxFileBytes = 1 << 20) {
  const [{ indexes }] = sessionsOf([toHex(SESSION), ...files.keys()]);
  return recoverSession(readOnly(files), { folder: FOLDER, clientSession: SESSION, indexes }, maxFileBytes);
}

function fileOf(kind: FileKind, records: Iterable<SpoolRecord>, nextSequence = 0): Buffer {
  const out = new ByteWriter();
  out.bytes(encodeHeader({ kind, clientSession: SESSION, nextSequence, createdMs: 5000 }));
  for (const record of records) encodeRecord(record, out);
  return out.take();
}

function put(files: Files, kind: DataFileKind, records: readonly SpoolRecord[], nextSequence = 0): void {
  files.set(fileName(files.size + 1, kind), fileOf(kind, records, nextSequence));
}

/** As version 2 wrote them, which has no index. */
function withoutIndex(files: Files): Files {
  for (const bytes of files.values()) {
    bytes[4] = 2;
    sealHeader(bytes);
  }
  return files;
}

function sealHeader(bytes: Buffer): void {
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
}

/** With an index of all whole records. */
function withIndex(files: Files): Files {
  const state = new IndexState();
  for (const [name, bytes] of files) {
    const named = fileOfName(name);
    if (named === undefined) continue;
    for (const { record, position, sizeBytes } of readRecords(bytes, () => undefined)) {
      const batches = record.type === 'waiting' || record.type === 'stamped' ? [record.batch] : [];
      const [numbers, points] = [batches.map((batch) => batch.number), batches.map((batch) => batch.points)];
      state.add(named.number, named.kind, position + sizeBytes, numbers, points);
    }
  }
  for (const number of SETTLED.numbers) state.settle(number);
  return new Map(files).set(INDEX, fileOf(FILE_KIND.index, state.records()));
}

/** Each batch has another number of points, so that a sum says which are in it. */
const pointsOf = (number: number) => 1 << number;

const waiting = (number: number, points = pointsOf(number)): SpoolRecord => ({
  type: 'waiting',
  batch: { number, points, minTimeMs: 1000 + number, share: Buffer.from(`share ${number}`) },
});

const stamped = (number: number, batch: Buffer = Buffer.from(`batch ${number}`)): SpoolRecord => ({
  type: 'stamped',
  batch: {
    ...{ number, points: pointsOf(number), minTimeMs: 1000 + number, sequence: number },
    ...{ epoch: 1, stampedMs: 2000, batch },
  },
});

const SETTLED = { type: 'settled', numbers: [0] } as const;
const BATCHES = 6;
/** Batches below were sent. */
const SENT = 4;

/** Six batches: the first is settled, the next three are sent, the others wait. */
function spoolOf(inStamped: readonly SpoolRecord[]): Files {
  const files: Files = new Map();
  put(files, FILE_KIND.definitions, [
    { type: 'tenant', tenant: 'acme' },
    { type: 'series', first: 0, series: [{ metric: 'm', kind: KIND.gauge, tags: ['a:b'] }] },
    { type: 'refs', range: { epoch: 1, partition: 0, firstRef: 0, numbers: [0] } },
  ]);
  put(
    files,
    FILE_KIND.waiting,
    Array.from({ length: BATCHES }, (_, number) => waiting(number)),
  );
  put(files, FILE_KIND.stamped, inStamped);
  return files;
}

const stampedFile = (files: Files) => files.get('00000003.stamped') ?? Buffer.of();

function tornTail(): Files {
  const files = spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3), stamped(4)]);
  files.set('00000003.stamped', stampedFile(files).subarray(0, -5));
  return files;
}

/** The last stamp ends with a zero that is alone in its sector, as a write that was cut off would leave it. */
function zeroInLastSector(): Files {
  const records = [stamped(0), stamped(1), SETTLED, stamped(2)];
  const withPayload = (bytes: number) =>
    spoolOf([...records, stamped(3, Buffer.concat([Buffer.alloc(bytes, 7), Buffer.of(0)]))]);
  const missing = SECTOR_BYTES - stampedFile(withPayload(0)).length + 1;
  return withPayload(missing);
}

const SPOOLS: readonly [string, () => Files][] = [
  ['a stamp at the end', () => spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3)])],
  ['a settled record at the end', () => spoolOf([stamped(0), stamped(1), stamped(2), stamped(3), SETTLED])],
  ['a torn stamp at the end', tornTail],
  ['a zero at the start of a sector', zeroInLastSector],
];

function* flipsOf(files: Files): Generator<[place: string, flipped: Files]> {
  for (const [name, bytes] of files) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = Buffer.from(bytes);
      bad[bit >> 3] ^= 1 << (bit & 7);
      yield [`bit ${bit & 7} of byte ${bit >> 3} of ${name}`, new Map(files).set(name, bad)];
    }
  }
}

/** What a recovery did wrong; empty when nothing. */
async function faultsOf(files: Files, maxMissing = 1): Promise<string[]> {
  const found = await recover(files);
  if (!('batches' in found)) return ['nothing was found'];
  const faults: string[] = [];
  const batches = new Map(found.batches.map((batch) => [batch.number, batch]));
  const missing: number[] = [];
  for (let number = 0; number < BATCHES; number++) {
    const batch = batches.get(number);
    if (batch === undefined) {
      if (number > 0) missing.push(number);
    } else if (number < SENT && batch.stamped?.sequence !== number) faults.push(`${number} gets another stamp`);
    else if (number >= SENT && batch.stamped !== undefined) faults.push(`${number} has a stamp`);
  }
  const points = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + pointsOf(number), 0);
  const { indeterminate, dropped } = found.lost;
  if (missing.length > maxMissing) faults.push(`batches ${missing.join()} are missing`);
  if (indeterminate !== points(missing.filter((number) => number < SENT)))
    faults.push(`${indeterminate} indeterminate`);
  if (dropped !== points(missing.filter((number) => number >= SENT))) faults.push(`${dropped} dropped`);
  if (found.nextSequence < SENT + SEQUENCES_SKIPPED - 1) faults.push(`the next sequence is ${found.nextSequence}`);
  if (found.badBytes === 0) faults.push('no bad bytes');
  if (found.createdMs !== 5000) faults.push(`created at ${found.createdMs}`);
  return faults;
}

describe('recovery of a client session', () => {
  test.each(SPOOLS)('with %s, any flipped bit costs at most its batch, which is counted', async (_, make) => {
    for (const files of [withIndex(make()), withoutIndex(make())])
      for (const [place, flipped] of flipsOf(files)) expect([place, ...(await faultsOf(flipped))]).toEqual([place]);
  });

  test('what is cut or removed of one file is counted, and sent under no other stamp', async () => {
    const files = withIndex(spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3)]));
    for (const [name, bytes] of files) {
      if (name === INDEX) continue;
      for (let size = 0; size < bytes.length; size++) {
        const place = `${name} cut to ${size}`;
        const cut = new Map(files).set(name, bytes.subarray(0, size));
        expect([place, ...(await faultsOf(cut, BATCHES))]).toEqual([place]);
      }
      const removed = new Map(files);
      removed.delete(name);
      expect([name, ...(await faultsOf(removed, BATCHES))]).toEqual([name]);
    }
  });

  test('bytes beyond the limit of a file, and those of a file of another session, are bad once', async () => {
    const files = withIndex(spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3)]));
    const name = '00000002.waiting';
    const bytes = files.get(name) ?? Buffer.of();
    const limitBytes = bytes.length - 5;
    const lastBytes = encodeRecord(waiting(BATCHES - 1), new ByteWriter());
    expect([...files].filter(([, { length }]) => length > limitBytes).map(([other]) => other)).toEqual([name]);
    expect((await recover(files, limitBytes)).badBytes).toBe(lastBytes);
    const foreign = Buffer.from(bytes);
    foreign.fill(0x11, 8, 24);
    sealHeader(foreign);
    expect((await recover(new Map(files).set(name, foreign))).badBytes).toBe(bytes.length);
  });

  test('with an index that is cut within a record, and stamps that are cut, no batch gets another stamp', async () => {
    const whole = withIndex(spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3)]));
    const [index, stamps] = [whole.get(INDEX) ?? Buffer.of(), stampedFile(whole)];
    const ends = new Set([...readRecords(index, () => undefined)].map((record) => record.position + record.sizeBytes));
    for (let size = HEADER_BYTES + 1; size < index.length; size++) {
      if (ends.has(size)) continue;
      for (const stampedBytes of [stamps.length - 3, HEADER_BYTES + 20]) {
        const files = new Map(whole).set(INDEX, index.subarray(0, size));
        files.set('00000003.stamped', stamps.subarray(0, stampedBytes));
        const found = await recover(files);
        const unstamped = 'batches' in found ? found.batches.filter((batch) => batch.stamped === undefined) : [];
        expect({ size, stampedBytes, unstamped }).toEqual({ size, stampedBytes, unstamped: [] });
        expect(found.lost.indeterminate).toBeGreaterThan(0);
      }
    }
  });

  test('an index that a crash has cut at a sector costs no batch', async () => {
    const whole = withIndex(spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3)]));
    const index = whole.get(INDEX) ?? Buffer.of();
    // A long record, of which one sector has arrived.
    const torn = fileOf(FILE_KIND.index, [
      { type: 'settled', numbers: Array.from({ length: 9999 }, (_, i) => i * 2) },
    ]).subarray(HEADER_BYTES);
    const cut = Buffer.concat([index, torn]).subarray(0, Math.ceil(index.length / SECTOR_BYTES) * SECTOR_BYTES);
    const files = new Map(whole).set(INDEX, cut);
    files.set('00000003.stamped', Buffer.concat([stampedFile(whole), Buffer.alloc(100)]));
    const found = await recover(files);
    expect('batches' in found && found.batches.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(found.lost).toMatchObject({ dropped: 0, indeterminate: 0 });
  });

  test('a damaged header costs 44 bytes', async () => {
    for (const [name, bytes] of withIndex(spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3)]))) {
      const files = withIndex(spoolOf([stamped(0), stamped(1), stamped(2), SETTLED, stamped(3)]));
      files.set(name, Buffer.concat([Buffer.alloc(44, 0xff), bytes.subarray(44)]));
      const found = await recover(files);
      expect(found.badBytes).toBe(44);
      expect(found.lost).toMatchObject({ dropped: 0, indeterminate: 0 });
      expect('batches' in found && found.batches.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  test('uses no sequence twice when only a damaged header said where they continue', async () => {
    const used = 10 * SEQUENCES_SKIPPED;
    const files: Files = new Map();
    put(files, FILE_KIND.waiting, [waiting(used, 1)]);
    put(files, FILE_KIND.stamped, [], used);
    for (const [place, flipped] of flipsOf(withoutIndex(files))) {
      const found = await recover(flipped);
      const nextSequence = 'batches' in found ? found.nextSequence : Number.POSITIVE_INFINITY;
      expect([place, nextSequence >= used]).toEqual([place, true]);
    }
  });

  test('uses no sequence twice when only the header of the index says where they continue', async () => {
    const used = 10 * SEQUENCES_SKIPPED;
    const files: Files = new Map();
    put(files, FILE_KIND.waiting, [waiting(used, 1)]);
    files.set(INDEX, fileOf(FILE_KIND.index, [], used));
    const found = await recover(files);
    // As many as there are numbers may have been used since.
    expect('batches' in found && found.nextSequence).toBeGreaterThan(2 * used);
  });

  test('refuses a newer version with its file', async () => {
    const files = spoolOf([stamped(0)]);
    const bytes = stampedFile(files);
    bytes[4] = 4;
    bytes.writeUInt32LE(crc32c(bytes.subarray(0, 40)), 40);
    await expect(recover(files)).rejects.toMatchObject({
      code: 'failed_precondition',
      detail: { path: `${FOLDER}/00000003.stamped`, version: 4, limit: 3 },
    });
  });

  test('many bad records, and a file of garbage, end', async () => {
    const files = withIndex(spoolOf([stamped(0)]));
    files.set('00000003.stamped', Buffer.alloc(1 << 16, 0x11));
    const found = await recover(files);
    expect(found.badBytes).toBe(1 << 16);
  });
});
