import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseSettings } from '@tidemark/settings';
import { localPlatformContext } from './local-platform-context.ts';

const EVENTS = { info: () => undefined, error: () => undefined, fatal: () => undefined };
const PARTS = ['log/points', 'log/tags', 'points', 'tags'];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function partitions(asked: string): number {
  const settings = parseSettings({ flags: { data: folder, 'data-partitions': asked } });
  return localPlatformContext(settings, EVENTS).settings.data.partitions;
}

function make(part: string, ...numbers: readonly number[]): void {
  for (const number of numbers) mkdirSync(join(folder, part, String(number)), { recursive: true });
}

function remove(...names: readonly string[]): void {
  for (const name of names) rmSync(join(folder, name), { recursive: true });
}

test('a new data folder gets the number of partitions of the settings, and keeps it', () => {
  expect(partitions('3')).toBe(3);
  make('log/points', 0, 1, 2);
  expect(partitions('8')).toBe(3);
  make('log/tags', 0);
  expect(partitions('8')).toBe(3);
});

describe('a data folder with folders missing', () => {
  beforeEach(() => {
    for (const part of PARTS) make(part, 0, 1, 2, 3);
  });

  test.each(PARTS)('keeps its number of partitions without one %s', (part) => {
    remove(`${part}/1`);
    expect(partitions('8')).toBe(4);
    remove(`${part}/3`);
    expect(partitions('8')).toBe(4);
  });

  test.each(['points/0', 'points/1', 'points/3', 'tags/1', 'tags/3'])('is refused without %s and its log', (own) => {
    remove(own, `log/${own}`);
    expect(() => partitions('8')).toThrow(
      expect.objectContaining({
        code: 'failed_precondition',
        message: expect.stringMatching(
          `^log/${own} and ${own} are missing in ${folder}, but .* exists: .*Restore both folders from a copy`,
        ),
      }),
    );
  });

  test('is refused also where the first start has made no database of the topic', () => {
    remove('points', 'tags', 'log/points/1');
    expect(() => partitions('8')).toThrow(/^log\/points\/1 and points\/1 are missing/);
  });
});
