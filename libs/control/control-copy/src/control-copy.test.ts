import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { ControlCopy, type LogPartition } from '@tidemark/contract';
import { ControlFollower, type ControlMessage, ControlState, ControlWriter } from '@tidemark/control-log';
import { type EmbeddedLog, openEmbeddedLog, remakeLog } from '@tidemark/embedded-log';
import { openLocalObjects } from '@tidemark/folder-objects';
import { evenMap, packSlots } from '@tidemark/model';
import { LocalDisk, SystemClock } from '@tidemark/node-runtime';
import { SeededRandom } from '@tidemark/simulation';
import fc from 'fast-check';
import { appendCopy } from './append-copy.ts';
import { ControlCopies } from './control-copies.ts';
import { decodeControlCopy, type EncodedCopy, encodeControlCopy } from './control-copy.ts';

const clock = new SystemClock();
const random = new SeededRandom(1);
const MADE = { createdMs: 1_790_000_000_000, createdBy: 'tidemark 7' };
const HASH = Buffer.alloc(32, 5);

async function withFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-control-copy-'));
  try {
    return await task(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A log whose coordinator has decided a map, a key, a skip and a halt. */
async function decided(folder: string): Promise<{ copy: EncodedCopy; partitions: LogPartition[] }> {
  const partitions = { points: 2, tags: 2, control: 1 };
  const log = await openEmbeddedLog({ disk: new LocalDisk(folder), clock, random, partitions });
  const writer = new ControlWriter(log, clock);
  const map = evenMap(2, 1);
  const records: ControlMessage[] = [
    { $case: 'term', value: { term: 3, process: 'tidemark 7' } },
    { $case: 'map', value: { term: 3, expectedEpoch: 0, map: { epoch: 1, partitions: 2, slots: packSlots(map) } } },
    { $case: 'key', value: { term: 3, tenant: 'acme', name: 'ops', keyHash: HASH, scopes: ['read'], revoked: false } },
    { $case: 'skip', value: { term: 3, topic: 'points', partition: 1, offset: 9, reason: 'torn' } },
    { $case: 'halt', value: { term: 3, topic: 'points', partition: 0, offset: 12, halted: true } },
  ];
  for (const record of records) await writer.append(record);
  const reader = await started(log);
  const made = log.made.map((one) => ({ ...one, id: Buffer.from(one.id) }));
  const copy = encodeControlCopy(reader.state, made, MADE);
  await reader.stop();
  await log.close();
  return { copy, partitions: made };
}

async function started(log: EmbeddedLog): Promise<ControlFollower> {
  const reader = new ControlFollower(log, clock);
  await reader.start();
  return reader;
}

test('a log that is made again has the keys, maps and skips of its copy, and no halt', async () => {
  await withFolder(async (folder) => {
    const { copy, partitions } = await decided(join(folder, 'lost'));
    const whole = decodeControlCopy(copy.bytes, 'the copy');
    expect(whole).toMatchObject({ ...MADE, partitions });
    const disk = new LocalDisk(join(folder, 'again'));
    await remakeLog({ disk, clock, random }, whole.partitions, (log) => appendCopy(log, whole, clock));

    const log = await openEmbeddedLog({ disk, clock, random, partitions: { points: 2, tags: 2, control: 1 } });
    const { state, stop } = await started(log).then((reader) => ({ state: reader.state, stop: () => reader.stop() }));
    expect([...state.keys]).toEqual([
      [HASH.toString('hex'), { tenant: 'acme', name: 'ops', scopes: new Set(['read']) }],
    ]);
    expect([state.term, state.map?.epoch, state.lost, [...state.halts]]).toEqual([3, 1, [], []]);
    expect(state.skipReason('points', 1, 9)).toBe('torn');
    await stop();
    await log.close();
  });
});

test('the newest whole copy counts, sixteen of each log are kept, and objects of others are left alone', async () => {
  await withFolder(async (folder) => {
    const { copy } = await decided(join(folder, 'log'));
    const objects = openLocalObjects(join(folder, 'objects'));
    const copies = new ControlCopies(objects);
    const other = { ...copy, logId: '0'.repeat(32) };
    await copies.put({ ...other, createdMs: 1 }, random);
    await objects.put('control/notes.txt', Buffer.from('mine'));
    for (let i = 0; i < 20; i++) await copies.put({ ...copy, createdMs: MADE.createdMs + i }, random);
    const listed = await copies.list();
    expect(listed.map(({ createdMs }) => createdMs)).toEqual([
      ...Array.from({ length: 16 }, (_, i) => MADE.createdMs + 19 - i),
      1,
    ]);
    expect((await objects.list('control/notes')).objects).toHaveLength(1);

    // A clock that was ahead was set back: what has more decisions is newer.
    await copies.put({ ...copy, offset: copy.offset + 1, createdMs: 7 }, random);
    expect((await copies.list())[0]).toMatchObject({ offset: copy.offset + 1, createdMs: 7 });
    await objects.delete([(await copies.list())[0].key]);

    const own = listed.filter(({ logId }) => logId === copy.logId);
    await writeFile(join(folder, 'objects', 'objects', own[0].key), 'damaged');
    await objects.put(own[1].key, Buffer.from('another file'));
    const found = await copies.newest(own);
    expect([found.key, found.passed.map(({ code }) => code)]).toEqual([own[2].key, ['data_loss', 'data_loss']]);
    await expect(copies.newest(own.slice(0, 2))).rejects.toMatchObject({ code: 'data_loss' });
    await objects.close();
  });
});

test('a copy with a partition that no log has is damaged', async () => {
  const { partitions } = await withFolder((folder) => decided(folder));
  const state = new ControlState();
  const wrong: [Partial<LogPartition>, RegExp][] = [
    [{ topic: 'toString' }, /a partition of the topic toString/],
    [{ id: Buffer.alloc(15) }, /an id of 15 bytes \(limit: 16\)/],
    [{ remade: 8192 }, /made again 8192 times \(limit: 8191\)/],
  ];
  for (const [change, message] of wrong) {
    const listed = [...partitions, { ...partitions[0], ...change }];
    const { bytes } = encodeControlCopy(state, listed, MADE);
    expect(() => decodeControlCopy(bytes, 'the copy')).toThrow(message);
  }
});

test('a copy of which any byte is changed or missing is damaged, and one of a newer program says so', async () => {
  const { copy } = await withFolder((folder) => decided(folder));
  const seed = testSeed();
  fc.assert(
    fc.property(fc.nat(copy.bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, isCut) => {
      const bytes = Buffer.from(copy.bytes);
      bytes[at] ^= change;
      const wrong = isCut ? bytes.subarray(0, at) : bytes;
      expect(() => decodeControlCopy(wrong, 'the copy')).toThrow(expect.objectContaining({ code: 'data_loss' }));
    }),
    { seed },
  );
  const newer = Buffer.from(copy.bytes);
  newer[4] = 2;
  expect(() => decodeControlCopy(newer, 'the copy')).toThrow(/the copy: format version 2, this program reads 1/);
  expect(() => decodeControlCopy(ControlCopy.encode(ControlCopy.create()).finish(), 'the copy')).toThrow(/the copy: /);
});
