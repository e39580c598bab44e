import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  DescribeMetricsReply,
  DescribeMetricsRequest,
  PartitionStatusRequest,
  PositionsReply,
} from '@tidemark/contract';
import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { DEFAULT_POINT_STORE_LIMITS } from '@tidemark/point-store';
import { assert, TidemarkError, type Topic } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import type { FromStore, StoreProblem, StoreWorkerOptions, ToStore } from './store-messages.ts';
import { storeReaders } from './store-readers.ts';
import { StoreWorkers, type StoreWorkersOptions } from './store-workers.ts';

/** Points of a page that is larger than a block of a table, which has about 4 KiB. */
const MANY_POINTS = 800;

let folder: string;
let options: StoreWorkerOptions;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-threads-'));
  const log = { kind: 'embedded', folder: join(folder, 'log'), partitions: 1 } as const;
  const limits = DEFAULT_POINT_STORE_LIMITS;
  options = {
    folder,
    log,
    kinds: ['points', 'tags'],
    owned: [0],
    limits,
    latenessMs: 1000,
    openFiles: undefined,
    hasSnapshots: false,
    canRestore: false,
  };
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

function openLog(partitions = 1): Promise<EmbeddedLog> {
  return openEmbeddedLog({
    disk: new LocalDisk(join(folder, 'log')),
    clock: new SystemClock(),
    random: new SystemRandom(),
    partitions: { points: partitions, tags: partitions },
  });
}

/** What this process reserves of its addresses. */
async function addressSpaceGiB(): Promise<number> {
  const [, kiB] = /^VmSize:\s+(\d+) kB$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  return Number(kiB) / 2 ** 20;
}

describe('a store thread', () => {
  test('a store thread answers a read that fails because of a bug with `internal`, and continues', async () => {
    const worker = new Worker(new URL('./store-worker-main.ts', import.meta.url), { workerData: { options } });
    ends.push(() => worker.terminate());
    const messages: FromStore[] = [];
    worker.on('message', (message: FromStore) => messages.push(message));
    const ask = (id: number, request: Uint8Array) => {
      const call = { type: 'call', id, kind: 'points', method: 'status', partition: 0, request } as const;
      worker.postMessage(call satisfies ToStore);
    };
    // A length that the message does not have: the decoder throws an error of its own.
    ask(1, Uint8Array.of(0x0a, 0xff));
    ask(2, PartitionStatusRequest.encode({ partition: 0 }).finish());
    while (!messages.some((message) => message.type === 'reply')) await once(worker, 'message');
    expect(messages).toContainEqual({
      type: 'failed',
      id: 1,
      error: { code: 'internal', message: "internal error in points.status; see the store's log", detail: {} },
    });
    expect(messages).toContainEqual({ type: 'bug', read: 'points.status', stack: expect.stringContaining('at ') });
    expect(messages).toContainEqual(expect.objectContaining({ type: 'reply', id: 2 }));
  });
});

describe('the store threads', () => {
  interface Halted {
    readonly part: string;
    readonly offset: number;
    readonly reason: string;
  }

  const rebuilt: (readonly [Topic, number, string, string])[] = [];
  const reread: (readonly [string, number, string])[] = [];

  function start(
    onHalted: (halted: Halted) => void = () => undefined,
    threads = 1,
    onProblem: (problem: StoreProblem | undefined) => void = () => undefined,
  ): StoreWorkers {
    const stores = opened({ threads, onProblem: (_topic, _partition, problem) => onProblem(problem) }, onHalted);
    stores.start();
    return stores;
  }

  /** Stores that don't read yet. */
  function opened(own: Partial<StoreWorkersOptions>, onHalted: (halted: Halted) => void): StoreWorkers {
    const stores = new StoreWorkers({
      ...options,
      threads: 1,
      onTrimmable: () => undefined,
      onRereading: (topic, partition, offset, reason) => reread.push([`${topic}/${partition}`, offset, reason]),
      onHalted: (topic, partition, offset, reason) => onHalted({ part: `${topic}/${partition}`, offset, reason }),
      onRebuilding: (...rebuilding) => rebuilt.push(rebuilding),
      onResumed: () => undefined,
      onProblem: () => undefined,
      onFailed: (error) => {
        throw error;
      },
      ...own,
    });
    ends.push(() => stores.stop());
    return stores;
  }

  test('a call ends with the reason of its signal, before and after it has begun', async () => {
    const stores = start();
    const abort = new AbortController();
    const called = stores.call('points', 'status', { partition: 0 }, abort.signal);
    abort.abort(new TidemarkError('deadline_exceeded', 'too late'));
    await expect(called).rejects.toMatchObject({ code: 'deadline_exceeded' });
    const never = stores.call('points', 'status', { partition: 0 }, AbortSignal.abort());
    await expect(never).rejects.toMatchObject({ code: 'cancelled' });
    expect((await stores.call('points', 'status', { partition: 0 })).partition).toBe(0);
  });

  test('stores answer in the bytes of the contract, and transfer only buffers that hold just the request', async () => {
    const stores = start();
    const readers = storeReaders(stores);
    const request = { partition: 0, tenant: 'default', contains: '', fromMs: 0, limit: 10, names: [] };
    const encoded = DescribeMetricsRequest.encode(request).finish();
    const shared = Buffer.alloc(encoded.length + 100, 7);
    shared.set(encoded, 50);
    const reply = await stores.answer('tags', 'describeMetrics', shared.subarray(50, 50 + encoded.length));
    expect(shared[0]).toBe(7);
    expect(reply.byteLength).toBe(reply.buffer.byteLength);
    const described = await readers.tagStore(0).describeMetrics(request);
    expect(DescribeMetricsReply.decode(reply)).toEqual(described);
    expect(described).toMatchObject({ metrics: [], gaps: [] });
    const positions = await stores.answer('tags', 'positions', new Uint8Array(0));
    expect(PositionsReply.decode(positions).positions).toMatchObject([{ partition: 0 }]);
    const elsewhere = DescribeMetricsRequest.encode({ ...request, partition: 5 }).finish();
    await expect(stores.answer('tags', 'describeMetrics', elsewhere)).rejects.toMatchObject({
      ...{ code: 'not_found', message: 'partition 5 belongs to another process' },
    });
  });

  test('a call after the stop fails, because the stores are closed', async () => {
    const stores = start();
    await stores.ready();
    await stores.stop();
    const closed = { code: 'unavailable', message: 'the stores are closed' };
    await expect(stores.call('points', 'status', { partition: 0 })).rejects.toMatchObject(closed);
    await expect(stores.positions('points')).rejects.toMatchObject(closed);
  });

  test('stores open without the brokers of their log, report that no broker answers, and can be stopped', async () => {
    const limits = { connectMs: 200, requestMs: 200, retryMs: 0 };
    // Port 1 is reserved for a service of the system, so no process listens there.
    const kafka = { brokers: ['127.0.0.1:1'], clientId: 'test', topicPrefix: 'none.', limits };
    options = { ...options, kinds: ['points'], log: { kind: 'kafka', options: kafka } };
    const problems: (StoreProblem | undefined)[] = [];
    const stores = start(undefined, 1, (problem) => problems.push(problem));
    await stores.ready();
    const problem = await new Promise<StoreProblem | undefined>((resolve) => {
      const timer = setInterval(() => {
        if (problems.length === 0) return;
        clearInterval(timer);
        resolve(problems[0]);
      }, 20);
    });
    expect(problem).toMatchObject({ code: 'unavailable', message: expect.stringContaining('no broker answers') });
    expect(problem?.during).toBe('read');
    await stores.stop();
  });

  test('one reply has the positions of the stores of all threads', async () => {
    options = { ...options, log: { kind: 'embedded', folder: join(folder, 'log'), partitions: 3 }, owned: [2, 0, 1] };
    const log = await openEmbeddedLog({
      disk: new LocalDisk(join(folder, 'log')),
      clock: new SystemClock(),
      random: new SystemRandom(),
      partitions: { points: 3, tags: 3 },
    });
    ends.push(() => log.close());
    const stores = start(undefined, 2);
    // Without the announcements the consumers would report a problem.
    log.onAppend((...progress) => stores.progress(...progress));
    const place = { offset: 0, committedOffset: 0, logNext: 0, halted: '', haltedOffset: -1, problem: '' };
    const places = [0, 1, 2].map((partition) => ({ ...place, partition, watermarkMs: undefined }));
    const placesOf = async (kind: 'points' | 'tags') =>
      (await stores.positions(kind)).positions.map(({ logId: _, trimOffset, ...one }) => {
        expect(trimOffset).toBe(0);
        return one;
      });
    expect(await placesOf('points')).toEqual(places.map((one) => ({ ...one, era: -1 })));
    const stateHash = '0'.repeat(32);
    expect(await placesOf('tags')).toEqual(places.map((one) => ({ ...one, stateHash })));
  });

  // The reserved space of a process is read from /proc, which other systems don't have.
  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux('many partitions reserve no more address space for their tables than one does', async () => {
    const reservedGiB = async (partitions: number): Promise<number> => {
      const owned = Array.from({ length: partitions }, (_, partition) => partition);
      const log = { kind: 'embedded', folder: join(folder, 'log'), partitions } as const;
      options = {
        ...options,
        kinds: ['points', 'tags', 'aggregator'],
        folder: join(folder, `${partitions}`),
        log,
        owned,
      };
      const beforeGiB = await addressSpaceGiB();
      const stores = start();
      await stores.ready();
      const ownGiB = (await addressSpaceGiB()) - beforeGiB;
      await stores.stop();
      return ownGiB;
    };
    // A memory of WebAssembly reserves 8 GiB on most machines.
    expect((await reservedGiB(6)) - (await reservedGiB(1))).toBeLessThan(8);
  });

  /**
   * The log and the databases of two partitions with five blocks of `points` points each, of which the database of points/0
   * is damaged by `damage`; `trimmed` of its records are no longer in the log.
   */
  async function damaged(
    trimmed: number,
    damage: (path: string) => Promise<void> = damageStart,
    points = 1,
  ): Promise<EmbeddedLog> {
    const partitions = { points: 2, tags: 2 };
    options = { ...options, log: { kind: 'embedded', folder: join(folder, 'log'), partitions: 2 }, owned: [0, 1] };
    const open = () =>
      openEmbeddedLog({
        disk: new LocalDisk(join(folder, 'log')),
        clock: new SystemClock(),
        random: new SystemRandom(),
        partitions,
        limits: { segmentBytes: 300 },
      });
    const log = await open();
    for (const partition of [0, 1]) {
      const builder = new LogBuilder();
      builder.bare(RECORD.open, 0, 1000, { partition });
      for (let i = 0; i < 5; i++) {
        // Values that don't compress, of four series: their page has a block of its own in the table of the database.
        const own = Array.from({ length: points }, (_, j) => ({
          ...{ series: j % 4, timeMs: 2000 + i + j * 10, value: Math.sin(i + j) },
        }));
        builder.block(0, 2000 + i, [{ client: 0, sequence: i, points: own }], { partition });
      }
      const writer = await log.writer('points', partition);
      for (const { offset, value } of builder.records) await writer.append(offset, value);
    }
    const stores = start();
    log.onAppend((...progress) => stores.progress(...progress));
    for (const partition of [0, 1]) {
      while ((await stores.call('points', 'status', { partition })).points < 5 * points) await setTimeout(10);
    }
    await stores.stop();
    await damage(join(folder, 'points', '0'));
    await log.trim('points', 0, trimmed);
    await log.close();
    return open();
  }

  /** Damages what is read when the database is opened. */
  async function damageStart(path: string): Promise<void> {
    for (const name of (await readdir(path)).filter((file) => file.endsWith('.log') || file.startsWith('MANIFEST'))) {
      const bytes = await readFile(join(path, name));
      bytes.fill(0x55, Math.floor(bytes.length / 3));
      await writeFile(join(path, name), bytes);
    }
  }

  /** Flips a bit of the page in the table of the database, which only a query reads. */
  async function damagePages(path: string): Promise<void> {
    // The first start after the stop writes the table.
    await (await openRocksDb(path)).close();
    const [name] = (await readdir(path)).filter((file) => file.endsWith('.sst'));
    const bytes = await readFile(join(path, name));
    bytes[Math.floor(bytes.length * 0.6)] ^= 1;
    await writeFile(join(path, name), bytes);
  }

  test('a damaged database is built again from the log, and kept next to the new one', async () => {
    const log = await damaged(0);
    ends.push(() => log.close());
    const stores = start();
    log.onAppend((...progress) => stores.progress(...progress));
    await stores.ready();
    while ((await stores.call('points', 'status', { partition: 0 })).points < 5) await setTimeout(10);
    const [[topic, partition, , aside]] = rebuilt.splice(0);
    expect([topic, partition]).toEqual(['points', 0]);
    expect(await readdir(join(folder, aside))).toContain('CURRENT');
  });

  test('a damaged database that the log can’t replace stops its partition alone, and is left as it is', async () => {
    const log = await damaged(4);
    ends.push(() => log.close());
    const halted: Halted[] = [];
    const stores = start((halt) => halted.push(halt));
    log.onAppend((...progress) => stores.progress(...progress));
    await stores.ready();
    const text = 'the database points/0 is damaged, and the log no longer has its first records';
    const status = await stores.call('points', 'status', { partition: 0 });
    expect([status.halted, status.haltedOffset]).toEqual([expect.stringContaining(text), -1]);
    expect(halted).toEqual([{ part: 'points/0', offset: -1, reason: expect.stringContaining(text) }]);
    await expect(stores.call('points', 'stateHash', { partition: 0 })).rejects.toMatchObject({ code: 'data_loss' });
    expect((await stores.call('points', 'status', { partition: 1 })).halted).toBe('');
    const { positions } = await stores.positions('points');
    expect(positions.map((position) => position.halted !== '')).toEqual([true, false]);
    expect([rebuilt, await readdir(join(folder, 'points'))]).toEqual([[], ['0', '1']]);
  });

  test('damage that only a read finds is mended while the stores run, and no answer is wrong meanwhile', async () => {
    const log = await damaged(0, damagePages, MANY_POINTS);
    ends.push(() => log.close());
    const stores = start();
    log.onAppend((...progress) => stores.progress(...progress));
    await stores.ready();
    const hashOf = (partition: number) => stores.call('points', 'stateHash', { partition });
    await expect(hashOf(0)).rejects.toMatchObject({ code: 'data_loss' });
    let mended: { readonly hash: string; readonly offset: number } | undefined;
    while (mended === undefined) {
      try {
        mended = await hashOf(0);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching('data_loss|unavailable') });
        await setTimeout(10);
      }
    }
    expect(mended.offset).toBe(6);
    const [[topic, partition, reason, aside]] = rebuilt.splice(0);
    expect([topic, partition, reason]).toEqual(['points', 0, expect.stringContaining('RocksDB read failed')]);
    expect(await readdir(join(folder, aside))).toContain('CURRENT');
    expect((await hashOf(1)).offset).toBe(6);
  });

  test('a store whose database is replaced announces no commit below which the log could be trimmed', async () => {
    const log = await damaged(0, damagePages, MANY_POINTS);
    ends.push(() => log.close());
    const events: string[] = [];
    const stores = opened(
      {
        onTrimmable: (topic, partition, offset) => events.push(`${topic}/${partition} trimmable ${offset}`),
        onRebuilding: (topic, partition) => events.push(`${topic}/${partition} rebuilding`),
      },
      () => undefined,
    );
    log.onAppend((...progress) => stores.progress(...progress));
    await stores.ready();
    stores.start();
    // A record that is applied and not committed when the damage is found.
    const builder = new LogBuilder();
    builder.bare(RECORD.open, 1, 3000);
    const writer = await log.writer('points', 0);
    await writer.append(0, builder.records[0].value);
    while ((await stores.call('points', 'status', { partition: 0 })).offset < 7) await setTimeout(10);
    events.splice(0);
    await expect(stores.call('points', 'stateHash', { partition: 0 })).rejects.toMatchObject({ code: 'data_loss' });
    while (!events.includes('points/0 rebuilding')) await setTimeout(10);
    expect(events.slice(0, events.indexOf('points/0 rebuilding'))).toEqual([]);
  });

  test('damage that only a read finds, and that the log can’t replace, is a problem of its store alone', async () => {
    const log = await damaged(4, damagePages, MANY_POINTS);
    ends.push(() => log.close());
    const losses: (string | undefined)[] = [];
    const onLoss = (_topic: Topic, _partition: number, message: string | undefined) => losses.push(message);
    const stores = opened({ onLoss }, () => undefined);
    stores.start();
    log.onAppend((...progress) => stores.progress(...progress));
    await stores.ready();
    await expect(stores.call('points', 'stateHash', { partition: 0 })).rejects.toMatchObject({ code: 'data_loss' });
    while (losses.length === 0) await setTimeout(10);
    const message = 'the database points/0 is damaged, and the log no longer has its first records';
    expect(losses).toEqual([expect.stringContaining(message)]);
    expect((await stores.call('points', 'stateHash', { partition: 1 })).offset).toBe(6);
    expect([rebuilt, await readdir(join(folder, 'points'))]).toEqual([[], ['0', '1']]);
  });

  test('a damaged database that can’t be replaced stops its partition alone, and says why', async () => {
    const log = await damaged(0, damagePages, MANY_POINTS);
    ends.push(() => log.close());
    const halted: Halted[] = [];
    const stores = start((halt) => halted.push(halt));
    log.onAppend((...progress) => stores.progress(...progress));
    await stores.ready();
    // The open database reads on; its folder can't be moved aside.
    await rm(join(folder, 'points', '0'), { recursive: true });
    await expect(stores.call('points', 'stateHash', { partition: 0 })).rejects.toMatchObject({ code: 'data_loss' });
    while (halted.length === 0) await setTimeout(10);
    const reason = expect.stringMatching(/points\/0 is damaged: .*; a new one can't be opened: .*ENOENT.*restart/);
    expect(halted).toEqual([{ part: 'points/0', offset: -1, reason }]);
    const status = await stores.call('points', 'status', { partition: 0 });
    expect([status.halted, status.haltedOffset]).toEqual([reason, -1]);
    const refused = { code: 'data_loss', message: reason };
    await expect(stores.call('points', 'stateHash', { partition: 0 })).rejects.toMatchObject(refused);
    expect((await stores.call('points', 'stateHash', { partition: 1 })).offset).toBe(6);
  });

  test('a store that is ahead of its log reads nothing until the log was raised, however late another store opens', async () => {
    await (await damaged(0)).close();
    const files = join(folder, 'log', 'points', '1');
    const [, ...behind] = (await readdir(files)).filter((name) => name.endsWith('.segment')).sort();
    for (const name of [...behind, 'SYNCED']) await rm(join(files, name));
    const log = await openLog(2);
    ends.push(() => log.close());
    options = { ...options, owned: [1, 0] };
    const halted: Halted[] = [];
    const progress: Parameters<StoreWorkers['progress']>[] = [];
    let stores: StoreWorkers | undefined;
    const announce = (partition: number): void => {
      for (const one of progress) if (one[1] === partition) stores?.progress(...one);
    };
    const offsets = new Map<string, number>();
    const caughtUp = new Promise<void>((resolve) => {
      stores = opened(
        {
          onOpened(topic, partition, offset) {
            offsets.set(`${topic}/${partition}`, offset);
            // points/0 is damaged: it opens when it has learned that its log is whole.
            if (topic === 'tags' && partition === 1) announce(0);
          },
          onCaughtUp: (topic, partition) => {
            if (topic === 'points' && partition === 1) resolve();
          },
        },
        (halt) => halted.push(halt),
      );
    });
    assert(stores !== undefined, 'the stores were made');
    log.onAppend((...one) => void progress.push(one));
    announce(1);
    await stores.ready();
    expect(halted).toEqual([]);
    const { next } = await log.bounds('points', 1);
    expect(next).toBeLessThan(offsets.get('points/1') ?? 0);
    await log.raise('points', 1, offsets.get('points/1') ?? 0);
    announce(1);
    stores.start();
    await caughtUp;
    expect(halted).toEqual([]);
  });

  test('the halt at lost records names them, and the log that they were in', async () => {
    const whole = await openLog();
    const writer = await whole.writer('points', 0);
    for (let sequence = 0; sequence < 3; sequence++) await writer.append(sequence, Buffer.alloc(200, 7));
    await whole.close();
    const segments = join(folder, 'log', 'points', '0');
    const [name] = await readdir(segments);
    const bytes = await readFile(join(segments, name));
    await writeFile(join(segments, name), bytes.subarray(0, 100));
    const log = await openLog();
    ends.push(() => log.close());
    let stores: StoreWorkers | undefined;
    const halted = new Promise<Halted>((resolve) => {
      stores = start(resolve);
      log.onAppend((...progress) => stores?.progress(...progress));
    });
    expect(await halted).toEqual({
      part: 'points/0',
      offset: 0,
      reason: 'the record at offset 0 of points partition 0 and the 2 after it are lost: its record is damaged',
    });
  });
});
