import { expect, test } from '@jest/globals';
import { DEFAULT_DOGSTATSD_LIMITS } from './statsd-limits.ts';
import { STATSD_TYPE } from './statsd-series.ts';
import { StatsdSeriesTable } from './statsd-series-table.ts';

const COUNT = 2_048;
const BLOCK = 7;
const FNV_PRIME = 0x01000193;

/** FNV-1a, which needs no key: what a sender can compute. */
function fnv(state: number, text: string): number {
  let hash = state;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

/** Names of equal FNV-1a hash: eleven pairs of blocks that each lead from one state to one state. */
function collidingNames(): string[] {
  let state = fnv(0x811c9dc5 ^ STATSD_TYPE.count, 'x');
  let names = ['x'];
  while (names.length < COUNT) {
    const seen = new Map<number, string>();
    for (let n = 0; ; n++) {
      const block = (Math.imul(n, 0x9e3779b1) >>> 0).toString(36).padStart(BLOCK, '0');
      const next = fnv(state, block);
      const other = seen.get(next);
      seen.set(next, block);
      if (other === undefined) continue;
      names = names.flatMap((name) => [name + other, name + block]);
      state = next;
      break;
    }
  }
  return names;
}

function probesOf(names: readonly string[]): number {
  const table = new StatsdSeriesTable(DEFAULT_DOGSTATSD_LIMITS, Buffer.alloc(16, 9));
  for (const name of names) {
    const bytes = Buffer.from(name);
    for (let i = 0; i < 2; i++) table.find(bytes, 0, bytes.length, STATSD_TYPE.count, 0, 0);
  }
  expect(table.size).toBe(names.length);
  return table.probes;
}

test('names that collide without a key cost as many probes as others', () => {
  const colliding = collidingNames();
  const hashes = new Set(colliding.map((name) => fnv(0x811c9dc5 ^ STATSD_TYPE.count, name)));
  expect([colliding.length, hashes.size]).toEqual([COUNT, 1]);
  const plain = Array.from({ length: COUNT }, (_, i) => `x${String(i).padStart(60, 'q')}`);
  // Linear probing at a load of at most one half takes 1.5 probes on average; one chain of all would take millions.
  expect(probesOf(plain)).toBeLessThan(4 * COUNT);
  expect(probesOf(colliding)).toBeLessThan(4 * COUNT);
});

test('another boundary between name and tags is another hash', () => {
  const text = Buffer.from('a'.repeat(200));
  const table = new StatsdSeriesTable(DEFAULT_DOGSTATSD_LIMITS, Buffer.alloc(16, 3));
  for (let end = 1; end < text.length; end++) {
    table.find(text, 0, end, STATSD_TYPE.count, end, text.length);
  }
  expect(table.probes).toBeLessThan(4 * text.length);
});

test('a spelling of any length is found again', () => {
  const table = new StatsdSeriesTable(DEFAULT_DOGSTATSD_LIMITS, Buffer.alloc(16, 3));
  for (const length of [1, 100, 200, 65_000, 200_000]) {
    const bytes = Buffer.from(`m${'t'.repeat(length)}`);
    const find = () => table.find(bytes, 0, 1, STATSD_TYPE.count, 1, bytes.length);
    const found = find();
    expect(find()).toBe(found);
  }
  expect(table.cachedSpellings).toBe(5);
});
