import { describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import {
  canonicalBytes,
  DEFAULT_POINT_LIMITS,
  dayOf,
  evenMap,
  metricId,
  nameBytes,
  packSlots,
  partitionOf,
  SERIES_CLASS,
  type SeriesClass,
  SLOTS,
  seriesId,
  seriesName,
  slotOf,
  unpackSlots,
} from './index.ts';

describe('series ids', () => {
  test('the example of docs/formats/series-id.md has its golden id', () => {
    const name = seriesName('default', 'cpu', SERIES_CLASS.reading, ['host:b', 'env:a', 'host:b']);
    expect(canonicalBytes(name).toString('hex')).toBe(
      '030764656661756c74036370750102' + '05656e763a61' + '06686f73743a62',
    );
    expect(seriesId(name).toString('hex')).toBe('78f9f473ff57ce33d10e38a8f2e29140');
    expect(metricId('default', 'cpu').toString('hex')).toBe('0b671fd74fd86049aee1878474884217');
    expect(slotOf(metricId('default', 'cpu'))).toBe(871);
  });

  test('do not depend on the order of tags or on repeated tags', () => {
    const tag = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => isTag(text));
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 8 }), fc.nat(), (tags, turn) => {
        const turned = [...tags.slice(turn % (tags.length + 1)), ...tags.slice(0, turn % (tags.length + 1)), ...tags];
        const [a, b] = [tags, turned].map((one) =>
          seriesId(seriesName('t', 'm', SERIES_CLASS.count, one)).toString('hex'),
        );
        expect(b).toBe(a);
      }),
    );
  });

  test('a name has tags of its own, in any order of those that were given', () => {
    for (const tags of [
      ['a:1', 'b:2'],
      ['b:2', 'a:1'],
      ['ü:1', 'z:1'],
    ]) {
      const given = [...tags];
      const name = seriesName('t', 'm', SERIES_CLASS.count, given);
      const before = [...name.tags];
      given.fill('c:3');
      expect([name.tags, before]).toEqual([
        before,
        tags.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      ]);
    }
  });

  test('differ where any part differs, also where the joined texts are equal', () => {
    const ids = [
      seriesName('t', 'm', SERIES_CLASS.count, ['a:1', 'b:2']),
      seriesName('t', 'm', SERIES_CLASS.reading, ['a:1', 'b:2']),
      seriesName('t', 'ma', SERIES_CLASS.count, [':1', 'b:2']),
      seriesName('tm', 'a', SERIES_CLASS.count, ['a:1', 'b:2']),
      seriesName('t', 'm', SERIES_CLASS.count, ['a:1b:2']),
    ].map((name) => seriesId(name).toString('hex'));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('names', () => {
  const limits = DEFAULT_POINT_LIMITS;
  test.each([
    ['metric_empty', () => seriesName('t', '', 1, [])],
    ['metric_too_long', () => seriesName('t', 'm'.repeat(limits.metricBytes + 1), 1, [])],
    ['metric_too_long', () => seriesName('t', 'ü'.repeat(limits.metricBytes / 2 + 1), 1, [])],
    ['tag_too_long', () => seriesName('t', 'm', 1, [`k:${'v'.repeat(limits.tagBytes)}`])],
    ['tag_empty', () => seriesName('t', 'm', 1, [''])],
    ['tag_not_utf8', () => seriesName('t', 'm', 1, ['a:\ud800'])],
    ['metric_not_utf8', () => seriesName('t', 'm\ufffd', 1, [])],
    [
      'series_too_long',
      () =>
        seriesName(
          't',
          'm',
          1,
          Array.from({ length: 9 }, (_, i) => `${i}${'v'.repeat(4096)}`),
        ),
    ],
    ['metric_control_character', () => seriesName('t', 'a\nb', 1, [])],
    [
      'too_many_tags',
      () =>
        seriesName(
          't',
          'm',
          1,
          Array.from({ length: limits.tags + 1 }, (_, i) => `k:${i}`),
        ),
    ],
    ['class_unknown', () => seriesName('t', 'm', 9 as SeriesClass, [])],
    ['tenant_too_long', () => seriesName('t'.repeat(limits.tenantBytes + 1), 'm', 1, [])],
  ])('%s is refused by name, with field and limit', (reason, build) => {
    expect(build).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        detail: { reason, field: expect.any(String), limit: expect.any(String) },
      }),
    );
  });
});

test('a tag has any characters, and a value of 4 KiB', () => {
  const tags = ['a:\n\t\u0000\u001b\ufffd\u007f', `query:${'ü'.repeat(2048)}`];
  expect(seriesName('t', 'm', 1, tags).tags).toEqual(tags);
});

test('the bytes of a name are those of its metric and tags in UTF-8', () => {
  expect(nameBytes({ metric: 'cpu', tags: ['a:ü', 'b:1'] })).toBe(3 + 4 + 3);
});

describe('partition maps', () => {
  test('an even map gives every partition its share of the slots, and is read from the wire as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: SLOTS }), (partitions) => {
        const map = evenMap(partitions);
        const counts = new Array<number>(partitions).fill(0);
        for (const partition of map.slots) counts[partition]++;
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(unpackSlots(packSlots(map))).toEqual(map.slots);
        expect(partitionOf(map, metricId('t', 'm'))).toBe(map.slots[slotOf(metricId('t', 'm'))]);
      }),
    );
  });
});

test('days are whole days since the epoch, also before it', () => {
  expect([0, 86_399_999, 86_400_000, -1].map(dayOf)).toEqual([0, 0, 1, -1]);
});

function isTag(text: string): boolean {
  try {
    seriesName('t', 'm', 1, [text]);
    return true;
  } catch (error) {
    if (isTidemarkError(error)) return false;
    throw error;
  }
}
