import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { listedObjects } from './listed-objects.ts';

const ASKED = { own: 'p/', prefix: 'a/', startAfter: 'a/b.x' };
const page = (names: readonly string[], more: Partial<ListObjectsV2CommandOutput> = {}) =>
  listedObjects({ $metadata: {}, Contents: names.map((Key) => ({ Key, Size: 1 })), ...more }, ASKED);

test('a page has the keys below the prefix, and continues after its last name', () => {
  expect(page([])).toEqual({ objects: [] });
  expect(page(['p/a/c.x', 'p/a/d.x'], { IsTruncated: true })).toEqual({
    objects: ['a/c.x', 'a/d.x'].map((key) => ({ key, sizeBytes: 1 })),
    next: 'a/d.x',
  });
  expect(page(['p/a/Others+name', 'p/a/z'], { IsTruncated: true, EncodingType: 'url' })).toEqual({
    objects: [],
    next: 'a/z',
  });
});

test('a list that a caller would misunderstand is data_loss', () => {
  const wrong: (() => unknown)[] = [
    () => page(['p/b/c.x']),
    () => page(['p/a/a.x']),
    () => page(['p/a/b.x']),
    () => page(['p/a/d.x', 'p/a/c.x']),
    () => page(['p/a/c.x', 'p/a/c.x']),
    () => page([], { IsTruncated: true }),
    () => page([], { Contents: [{ Key: 'p/a/c.x' }] }),
  ];
  for (const one of wrong) expect(one).toThrow(expect.objectContaining({ code: 'data_loss' }));
});
