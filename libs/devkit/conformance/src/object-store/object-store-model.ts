import { expect } from '@jest/globals';
import type { ObjectStore } from '@tidemark/ports';
import fc from 'fast-check';
import { codeOf, keysOf, refusalOf, streamOf, textOf } from './object-store-checks.ts';

const KEYS = ['a.x', 'a-b/c.x', 'a/b.x', 'a/b/c.x', 'b.x'];
const key = fc.constantFrom(...KEYS);
const text = fc.string({ maxLength: 20, unit: 'grapheme-ascii' });

/** Any operation. A condition is on the version that the model knows, or on an older one. */
export const steps = fc.oneof(
  { weight: 3, arbitrary: fc.record({ put: key, text, by: fc.constantFrom('put', 'stream') }) },
  fc.record({ absent: key, text }),
  { weight: 2, arbitrary: fc.record({ replace: key, text, isStale: fc.boolean() }) },
  fc.record({ remove: fc.array(key, { maxLength: 3 }) }),
  { weight: 2, arbitrary: fc.record({ read: key, offset: fc.nat(20), length: fc.integer({ min: 1, max: 20 }) }) },
  fc.record({ list: fc.constantFrom('', 'a', 'a/', 'a/b', 'b'), limit: fc.integer({ min: 1, max: 4 }) }),
);

type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** Runs operations on stores of the same objects in turn, and compares every answer with that of a map. */
export async function runAgainstModel(stores: readonly ObjectStore[], run: readonly Step[]): Promise<void> {
  await stores[0].delete(KEYS);
  const model = new Map<string, { text: string; version: string }>();
  for (const [i, step] of run.entries()) {
    const store = stores[i % stores.length];
    if ('put' in step) {
      const bytes = Buffer.from(step.text);
      const { version } =
        step.by === 'put' ? await store.put(step.put, bytes) : await store.putStream(step.put, streamOf([bytes]));
      model.set(step.put, { text: step.text, version });
    } else if ('absent' in step) {
      const putting = store.put(step.absent, Buffer.from(step.text), { ifAbsent: true });
      expect(await codeOf(putting)).toBe(model.has(step.absent) ? 'already_exists' : 'no error');
      if (!model.has(step.absent)) model.set(step.absent, { text: step.text, version: (await putting).version });
    } else if ('replace' in step) {
      const known = model.get(step.replace);
      const ifVersion = step.isStale || known === undefined ? '0123456789abcdef' : known.version;
      const put = () => store.put(step.replace, Buffer.from(step.text), { ifVersion });
      if (ifVersion === known?.version) model.set(step.replace, { text: step.text, version: (await put()).version });
      else expect(await refusalOf(put)).toBe('failed_precondition');
    } else if ('remove' in step) {
      await store.delete(step.remove);
      for (const one of step.remove) model.delete(one);
    } else if ('read' in step) {
      await compareReads(store, step, model.get(step.read));
    } else {
      const expected = [...model.keys()].filter((one) => one.startsWith(step.list)).sort();
      expect(await keysOf(store, step.list, step.limit)).toEqual(expected);
    }
  }
  const found = await keysOf(stores[0], '');
  expect(found).toEqual([...model.keys()].sort());
}

async function compareReads(
  store: ObjectStore,
  { read, offset, length }: { read: string; offset: number; length: number },
  known: { text: string; version: string } | undefined,
): Promise<void> {
  const range = store.getRange(read, { offset, length });
  range.catch(() => undefined);
  if (known === undefined) {
    expect(await codeOf(store.get(read))).toBe('not_found');
    expect(await codeOf(range)).toBe('not_found');
    return;
  }
  const { bytes, version } = await store.get(read);
  expect([textOf(bytes), version]).toEqual([known.text, known.version]);
  const isInside = offset + length <= known.text.length;
  expect(await codeOf(range)).toBe(isInside ? 'no error' : 'out_of_range');
  if (isInside) expect(textOf(await range)).toBe(known.text.slice(offset, offset + length));
}
