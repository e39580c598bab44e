import { afterEach, describe, expect, test } from '@jest/globals';
import { toHex } from '@tidemark/bytes';
import { isTidemarkError, type KeyRange, type KeyValue, type KeyValueWrite } from '@tidemark/ports';
import fc from 'fast-check';
import { KeyValueModel } from './key-value-model.ts';

/** An adapter under test, made for each case. */
export interface KeyValueAdapter {
  /** Opens the store of a name. After `close` or `crash` it opens again with its stored content. */
  open(name: string): Promise<KeyValue>;
  /** Simulates a crash of the process that has the stores; absent where this process cannot simulate one. */
  crash?(): Promise<void>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const number = (value: number): Uint8Array => bytes(String(value).padStart(6, '0'));
const ALL: KeyRange = { from: bytes(''), to: Uint8Array.of(0xff, 0xff, 0xff, 0xff) };

async function list(store: KeyValue, range: KeyRange = ALL): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, value } of store.entries(range)) found.push(`${toHex(key)}=${toHex(value)}`);
  return found;
}

async function codeOf(task: Promise<unknown>): Promise<string> {
  try {
    await task;
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error);
  }
  return 'no error';
}

/** Registers the tests that every key-value adapter must pass, under the adapter's name. */
export function keyValueConformance(name: string, setUp: () => Promise<KeyValueAdapter>): void {
  describe(`key-value conformance: ${name}`, () => {
    let adapter: KeyValueAdapter | undefined;

    async function start(): Promise<KeyValueAdapter> {
      adapter = await setUp();
      return adapter;
    }

    afterEach(async () => {
      await adapter?.dispose();
      adapter = undefined;
    });

    test('reads back puts, deletes and empty values, one by one and many at a time', async () => {
      const store = await (await start()).open('a');
      await store.write([
        { key: bytes('a'), value: bytes('1') },
        { key: bytes('b'), value: bytes('2') },
        { key: bytes('empty'), value: new Uint8Array() },
        { key: bytes('b') },
      ]);
      expect(toHex((await store.get(bytes('a'))) ?? bytes('?'))).toBe('31');
      expect(await store.get(bytes('b'))).toBeUndefined();
      expect((await store.get(bytes('empty')))?.length).toBe(0);
      const many = await store.getMany([bytes('b'), bytes('a'), bytes('nope'), bytes('a'), bytes('empty')]);
      expect(many.map((value) => value && toHex(value))).toEqual([undefined, '31', undefined, '31', '']);
      expect(await store.getMany([])).toEqual([]);
      await store.write([]);
    });

    test('orders keys bytewise, not as text', async () => {
      const store = await (await start()).open('a');
      const keys = [[0xff], [0x7f], [0x80], [0], [0, 0], [0x80, 0]].map((key) => Uint8Array.from(key));
      await store.write(keys.map((key) => ({ key, value: key })));
      expect((await list(store)).map((entry) => entry.split('=')[0])).toEqual(['00', '0000', '7f', '80', '8000', 'ff']);
    });

    test('equals a model under any operations', async () => {
      const open = await start();
      let run = 0;
      const key = fc.uint8Array({ minLength: 1, maxLength: 2, max: 3 });
      const bound = fc.uint8Array({ maxLength: 2, max: 4 });
      const write = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }) });
      const operation = fc.oneof(
        { weight: 4, arbitrary: fc.record({ write: fc.array(write, { maxLength: 12 }) }) },
        fc.record({ deleteFrom: bound, to: bound }),
        { weight: 2, arbitrary: fc.record({ from: bound, to: bound, reverse: fc.boolean(), limit: fc.nat(20) }) },
      );
      const property = fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
        run++;
        const store = await open.open(`model/${run}`);
        const model = new KeyValueModel();
        for (const step of operations) {
          if ('write' in step) {
            await store.write(step.write);
            model.write(step.write);
          } else if ('deleteFrom' in step) {
            await store.deleteRange(step.deleteFrom, step.to);
            model.deleteRange(step.deleteFrom, step.to);
          } else {
            const expected = model.entries(step).map(({ key, value }) => `${toHex(key)}=${toHex(value)}`);
            expect(await list(store, step)).toEqual(expected);
          }
        }
        const all = model.entries(ALL);
        expect(await list(store)).toEqual(all.map(({ key, value }) => `${toHex(key)}=${toHex(value)}`));
        const values = await store.getMany(all.map(({ key }) => key));
        expect(values.map((value) => value && toHex(value))).toEqual(all.map(({ value }) => toHex(value)));
        await store.close();
      });
      await fc.assert(property, { numRuns: 25 });
    });

    test('iterates long ranges both ways over the snapshot of the call', async () => {
      const store = await (await start()).open('a');
      const count = 3_000;
      const batch: KeyValueWrite[] = [];
      for (let i = 0; i < count; i++) batch.push({ key: number(i), value: new Uint8Array(i % 97).fill(i) });
      await store.write(batch);
      const before = store.entries({ from: number(0), to: number(count) });
      await store.deleteRange(number(10), number(2_000));
      await store.write([{ key: number(5), value: bytes('changed') }]);
      let at = 0;
      for await (const { key, value } of before) {
        if (toHex(key) !== toHex(number(at)) || value.length !== at % 97) throw new Error(`wrong entry at ${at}`);
        at++;
      }
      expect(at).toBe(count);
      const backwards: string[] = [];
      for await (const { key } of store.entries({ from: number(0), to: number(count), reverse: true })) {
        backwards.push(toHex(key));
      }
      expect(backwards.length).toBe(count - 1_990);
      expect(backwards).toEqual([...backwards].sort().reverse());
      for await (const { key } of store.entries({ from: number(0), to: number(count), reverse: true })) {
        expect(toHex(key)).toBe(toHex(number(count - 1)));
        break;
      }
    });

    test('returns copies, and stores copies of its arguments', async () => {
      const store = await (await start()).open('a');
      const key = bytes('k');
      const value = bytes('value');
      await store.write([{ key, value }]);
      key.fill(0);
      value.fill(0);
      (await store.get(bytes('k')))?.fill(0);
      for await (const entry of store.entries(ALL)) entry.value.fill(0);
      expect(new TextDecoder().decode(await store.get(bytes('k')))).toBe('value');
    });

    test('applies unawaited writes in the order of the calls', async () => {
      const store = await (await start()).open('a');
      const writes: Promise<void>[] = [];
      for (let i = 0; i < 50; i++) writes.push(store.write([{ key: bytes('k'), value: number(i) }]));
      await Promise.all(writes);
      expect(toHex((await store.get(bytes('k'))) ?? bytes(''))).toBe(toHex(number(49)));
    });

    test('accepts keys of 64 KiB and values of 64 MiB, and refuses more', async () => {
      const store = await (await start()).open('a');
      const key = new Uint8Array(65_536).fill(7);
      const value = new Uint8Array(67_108_864);
      value[value.length - 1] = 9;
      await store.write([{ key, value }]);
      const read = await store.get(key);
      expect([read?.length, read?.at(-1)]).toEqual([67_108_864, 9]);
      const good = { key: bytes('good'), value: bytes('1') };
      const refused: KeyValueWrite[] = [
        { key: new Uint8Array(65_537), value: bytes('1') },
        { key: bytes('k'), value: new Uint8Array(67_108_865) },
        { key: new Uint8Array(), value: bytes('1') },
      ];
      for (const bad of refused) expect(await codeOf(store.write([good, bad]))).toBe('invalid_argument');
      expect(await store.get(good.key)).toBeUndefined();
    });

    test('keeps stores of different names apart, and opens them again', async () => {
      const stores = await start();
      const one = await stores.open('points/1');
      const two = await stores.open('points/2');
      await one.write([{ key: bytes('k'), value: bytes('one') }]);
      await two.write([{ key: bytes('k'), value: bytes('two') }]);
      await one.close();
      await one.close();
      expect(await codeOf(one.write([{ key: bytes('k') }]))).toBe('failed_precondition');
      expect(await codeOf(one.get(bytes('k')))).toBe('failed_precondition');
      const again = await stores.open('points/1');
      expect(new TextDecoder().decode(await again.get(bytes('k')))).toBe('one');
      expect(await codeOf(stores.open('points/1'))).toBe('failed_precondition');
    });

    test('keeps every resolved write across a crash, and every other one whole or not at all', async () => {
      const stores = await start();
      if (stores.crash === undefined) return;
      for (let round = 0; round < 10; round++) {
        const store = await stores.open('a');
        let resolved = -1;
        const writes: Promise<void>[] = [];
        for (let i = 0; i < 20; i++) {
          const batch = ['x', 'y', 'z'].map((key) => ({ key: bytes(key), value: number(i) }));
          const written = store.write(batch).then(() => {
            resolved = Math.max(resolved, i);
          });
          writes.push(written);
        }
        await writes[round];
        await stores.crash();
        const after = await stores.open('a');
        const values = await after.getMany(['x', 'y', 'z'].map(bytes));
        const texts = new Set(values.map((value) => new TextDecoder().decode(value)));
        expect(texts.size).toBe(1);
        const [last] = texts;
        expect(Number(last)).toBeGreaterThanOrEqual(resolved);
        await after.close();
      }
    });
  });
}
