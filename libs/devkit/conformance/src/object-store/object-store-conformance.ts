import { afterEach, describe, expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { type ObjectStore, TidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { testSeed } from '../test-seed.ts';
import { codeOf, keysOf, refusalOf, streamOf, textOf } from './object-store-checks.ts';
import { runAgainstModel, steps } from './object-store-model.ts';

/** An adapter under test, made for each case with an empty store. */
export interface ObjectStoreAdapter {
  /** Opens the store as another process would. All of them are of one store. */
  open(): Promise<ObjectStore>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

export interface ObjectStoreConformanceOptions {
  /** Bytes of an object that the store keeps in more than one part. Default 200,000. */
  readonly largeBytes?: number;
  /** Runs of the property test. Default 15. */
  readonly runs?: number;
}

const WRITERS = 5;
const INVALID_KEYS = ['', 'a', 'A.b', '../a.b', '/a.b', 'a//b.c', 'a.b/c.d', 'a/', 'a b.c', 'a..b', 'ä.b'];

/** Registers the tests that every object store must pass, under the adapter's name. */
export function objectStoreConformance(
  name: string,
  setUp: () => Promise<ObjectStoreAdapter>,
  { largeBytes = 200_000, runs = 15 }: ObjectStoreConformanceOptions = {},
): void {
  const seed = testSeed();
  describe(`object store conformance: ${name}`, () => {
    let adapter: ObjectStoreAdapter | undefined;

    async function start(): Promise<ObjectStore> {
      adapter = await setUp();
      return adapter.open();
    }
    async function another(): Promise<ObjectStore> {
      if (adapter === undefined) throw new Error('no adapter');
      return adapter.open();
    }

    afterEach(async () => {
      await adapter?.dispose();
      adapter = undefined;
    });

    test('reads back what was put, and nothing of what was replaced', async () => {
      const store = await start();
      for (const bytes of [Buffer.from('first'), Buffer.alloc(0), Buffer.alloc(100_000, 'second'), Buffer.from('x')]) {
        const put = await store.put('a/b.c', bytes);
        const expected = { key: 'a/b.c', sizeBytes: bytes.length, version: put.version, crc32c: crc32c(bytes) };
        expect(put).toEqual(expected);
        expect(await store.head('a/b.c')).toEqual(expected);
        const { bytes: read, ...info } = await (await another()).get('a/b.c', { version: put.version });
        expect(info).toEqual(expected);
        expect(Buffer.compare(read, bytes)).toBe(0);
      }
    });

    test('an object that does not exist is not_found, and deleting it succeeds', async () => {
      const store = await start();
      expect(await codeOf(store.get('a/b.c'))).toBe('not_found');
      expect(await codeOf(store.head('a/b.c'))).toBe('not_found');
      expect(await codeOf(store.getRange('a/b.c', { offset: 0, length: 1 }))).toBe('not_found');
      await store.delete(['a/b.c', 'd.e']);
      await store.delete([]);
      expect(await store.list('')).toEqual({ objects: [] });
    });

    test('ifAbsent puts once: of writers at the same time one succeeds', async () => {
      const stores = [await start(), await another()];
      const puts = Array.from({ length: 2 * WRITERS }, async (_, i) => {
        await stores[i % 2].put('new.x', Buffer.from(`writer ${i}`), { ifAbsent: true });
        return i;
      });
      const settled = await Promise.allSettled(puts);
      const winners = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(winners).toHaveLength(1);
      for (const one of settled) {
        if (one.status === 'rejected') expect(['already_exists', 'aborted']).toContain(one.reason.code);
      }
      expect(textOf((await stores[0].get('new.x')).bytes)).toBe(`writer ${winners[0]}`);
      expect(await codeOf(stores[0].putStream('new.x', streamOf([Buffer.from('s')]), { ifAbsent: true }))).toBe(
        'already_exists',
      );
    });

    test('ifVersion replaces only that version', async () => {
      const store = await start();
      const first = await store.put('m.x', Buffer.from('1'));
      expect(await refusalOf(() => store.put('none.x', Buffer.from('1'), { ifVersion: first.version }))).toBe(
        'failed_precondition',
      );
      const second = await store.put('m.x', Buffer.from('2'), { ifVersion: first.version });
      expect(second.version).not.toBe(first.version);
      expect(await refusalOf(() => store.put('m.x', Buffer.from('3'), { ifVersion: first.version }))).toBe(
        'failed_precondition',
      );
      const stream = () => store.putStream('m.x', streamOf([Buffer.from('4')]), { ifVersion: first.version });
      expect(await refusalOf(stream)).toBe('failed_precondition');
      expect(textOf((await store.get('m.x')).bytes)).toBe('2');
      expect(await codeOf(store.get('none.x'))).toBe('not_found');
    });

    test('writers that replace versions lose no update, and none is taken for refused that was applied', async () => {
      const stores = [await start(), await another()];
      await stores[0].put('marks.x', Buffer.from(''));
      const add = async (store: ObjectStore, mark: string) => {
        let isUnknown = false;
        for (;;) {
          const { bytes, version } = await store.get('marks.x');
          const marks = textOf(bytes);
          if (isUnknown && marks.includes(mark)) return;
          isUnknown = false;
          try {
            await store.put('marks.x', Buffer.from(marks + mark), { ifVersion: version });
            return;
          } catch (error) {
            if (!(error instanceof TidemarkError)) throw error;
            expect(['failed_precondition', 'aborted', 'unavailable']).toContain(error.code);
            isUnknown = error.code === 'unavailable';
          }
        }
      };
      const marks = Array.from({ length: 2 * WRITERS }, (_, i) => String.fromCharCode(97 + i));
      await Promise.all(marks.map((mark, i) => add(stores[i % 2], mark)));
      const found = textOf((await stores[0].get('marks.x')).bytes);
      expect([...found].sort()).toEqual(marks);
    });

    test('a range is exactly its bytes, and one past the end is out_of_range', async () => {
      const store = await start();
      const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255));
      const { version } = await store.put('r.x', bytes);
      for (const [offset, length] of [
        [0, 1],
        [10, 20],
        [999, 1],
        [0, 1000],
      ]) {
        const range = await store.getRange('r.x', { offset, length }, { version });
        expect(Buffer.compare(range, bytes.subarray(offset, offset + length))).toBe(0);
      }
      for (const [offset, length] of [
        [1000, 1],
        [5000, 10],
        [990, 11],
      ]) {
        const error = await store.getRange('r.x', { offset, length }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'out_of_range', detail: { key: 'r.x' } });
      }
      for (const [offset, length] of [
        [0, 0],
        [-1, 5],
        [0.5, 1],
        [0, 2 ** 26 + 1],
      ]) {
        expect(await codeOf(store.getRange('r.x', { offset, length }))).toBe('invalid_argument');
      }
      const part = bytes.subarray(5, 9);
      await store.getRange('r.x', { offset: 5, length: 4, crc32c: crc32c(part) });
      expect(await codeOf(store.getRange('r.x', { offset: 6, length: 4, crc32c: crc32c(part) }))).toBe('data_loss');
      await store.put('r.x', bytes.subarray(1));
      expect(await codeOf(store.getRange('r.x', { offset: 0, length: 1 }, { version }))).toBe('failed_precondition');
      expect(await codeOf(store.get('r.x', { version }))).toBe('failed_precondition');
    });

    test('a stream of many parts is one object', async () => {
      const store = await start();
      const bytes = Buffer.from(Array.from({ length: largeBytes }, (_, i) => (i * 7 + (i >> 8)) & 255));
      const cuts = [0, 1, 4096, 4096, 70_001, Math.floor(largeBytes * 0.7), largeBytes];
      const chunks = cuts.slice(1).map((to, i) => bytes.subarray(cuts[i], to));
      const put = await store.putStream('s/big.x', streamOf(chunks), { crc32c: crc32c(bytes) });
      expect(put).toEqual({ key: 's/big.x', sizeBytes: largeBytes, version: put.version, crc32c: crc32c(bytes) });
      expect(await store.head('s/big.x')).toEqual(put);
      expect(Buffer.compare((await store.get('s/big.x')).bytes, bytes)).toBe(0);
      const offset = largeBytes - 10;
      const end = await store.getRange('s/big.x', { offset, length: 10 }, { version: put.version });
      expect(Buffer.compare(end, bytes.subarray(offset))).toBe(0);
      expect(
        await codeOf(store.putStream('s/big.x', streamOf(chunks), { ifAbsent: true, crc32c: crc32c(bytes) })),
      ).toBe('already_exists');
      expect((await store.putStream('s/none.x', streamOf([]))).sizeBytes).toBe(0);
    });

    test('a stream that fails, aborts or has another checksum stores nothing', async () => {
      const store = await start();
      await store.put('s.x', Buffer.from('before'));
      const large = Buffer.alloc(largeBytes, 'z');
      async function* failing() {
        yield large;
        throw new TidemarkError('internal', 'the source failed');
      }
      expect(await codeOf(store.putStream('s.x', failing(), { crc32c: 0 }))).toBe('internal');
      for (const bytes of [Buffer.from('other'), large]) {
        expect(await codeOf(store.putStream('s.x', streamOf([bytes]), { crc32c: 1 }))).toBe('invalid_argument');
      }
      const abort = new AbortController();
      async function* aborting() {
        yield large;
        abort.abort(new TidemarkError('cancelled', 'enough'));
        yield large;
      }
      expect(await codeOf(store.putStream('s.x', aborting(), { signal: abort.signal, crc32c: 0 }))).toBe('cancelled');
      expect(textOf((await store.get('s.x')).bytes)).toBe('before');
      expect(await keysOf(store, '')).toEqual(['s.x']);
    });

    test('a list has the order of the bytes of keys, a prefix, and pages', async () => {
      const store = await start();
      const keys = [
        'a-b/c.d',
        'a.b',
        'a.b-c',
        'a/b.c',
        'a/b/c.d',
        'a/b-c/d.e',
        'a0.x',
        'a_.x',
        'b/a.b',
        'b/a.c',
        'b0/a.x',
      ];
      await Promise.all(keys.map((key) => store.put(key, Buffer.from(key))));
      const sorted = [...keys].sort();
      for (const prefix of ['', 'a', 'a/', 'a/b', 'a.b', 'b/', 'b/a.c', 'c', '-']) {
        const expected = sorted.filter((key) => key.startsWith(prefix));
        expect([prefix, await keysOf(store, prefix)]).toEqual([prefix, expected]);
        expect([prefix, await keysOf(store, prefix, 2)]).toEqual([prefix, expected]);
      }
      for (const startAfter of ['a', 'a.b', 'a/b.z', 'a/b/c.d', 'a/z', 'b', 'z']) {
        const { objects } = await store.list('', { startAfter });
        expect(objects.map(({ key }) => key)).toEqual(sorted.filter((key) => key > startAfter));
      }
      const { objects } = await store.list('a/b/');
      expect(objects).toEqual([{ key: 'a/b/c.d', sizeBytes: 7 }]);
    });

    test('deletes one and many, also the folders that get empty', async () => {
      const store = await start();
      const keys = Array.from({ length: 12 }, (_, i) => `d/${i % 3}/k${i}.x`);
      await Promise.all(keys.map((key) => store.put(key, Buffer.from('x'))));
      await store.delete(keys.slice(0, 1));
      await store.delete([...keys.slice(0, 9), 'd/none.x']);
      expect(await keysOf(store, '')).toEqual(keys.slice(9).sort());
      await store.delete(keys);
      expect(await keysOf(store, '')).toEqual([]);
      await store.put(keys[0], Buffer.from('again'));
      expect(textOf((await store.get(keys[0])).bytes)).toBe('again');
    });

    test('refuses keys that are not keys, and limits out of range', async () => {
      const store = await start();
      for (const key of INVALID_KEYS) {
        const errors = [store.put(key, Buffer.from('x')), store.get(key), store.head(key), store.delete([key])];
        const stream = store.putStream(key, streamOf([]));
        const range = store.getRange(key, { offset: 0, length: 1 });
        for (const one of [...errors, stream, range])
          expect([key, await codeOf(one)]).toEqual([key, 'invalid_argument']);
      }
      for (const prefix of ['/', '../', 'A']) expect(await codeOf(store.list(prefix))).toBe('invalid_argument');
      for (const limit of [0, 1001, 1.5]) expect(await codeOf(store.list('', { limit }))).toBe('invalid_argument');
      expect(await codeOf(store.put('a.b', Buffer.alloc(2 ** 26 + 1)))).toBe('invalid_argument');
    });

    test('an operation with an aborted signal throws its reason', async () => {
      const store = await start();
      await store.put('a.b', Buffer.from('x'));
      const options = { signal: AbortSignal.abort(new TidemarkError('cancelled', 'stopped')) };
      const tasks = [
        store.put('a.b', Buffer.from('y'), options),
        store.putStream('a.b', streamOf([Buffer.from('y')]), options),
        store.head('a.b', options),
        store.get('a.b', options),
        store.getRange('a.b', { offset: 0, length: 1 }, options),
        store.list('', options),
        store.delete(['a.b'], options),
      ];
      for (const task of tasks) expect(await codeOf(task)).toBe('cancelled');
      expect(textOf((await store.get('a.b')).bytes)).toBe('x');
    });

    test(`equals a model under any operations (seed ${seed})`, async () => {
      const stores = [await start(), await another()];
      const property = fc.asyncProperty(fc.array(steps, { maxLength: 15 }), (run) => runAgainstModel(stores, run));
      await fc.assert(property, { numRuns: runs, seed });
    });
  });
}
