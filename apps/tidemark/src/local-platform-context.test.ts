import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { parseSettings } from '@tidemark/settings';
import { localPlatformContext } from './local-platform-context.ts';

const EVENTS = { info: () => undefined, error: () => undefined, fatal: () => undefined };
const folder = mkdtempSync(join(tmpdir(), 'tidemark-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a new data folder gets the number of partitions of the settings, and keeps it', () => {
  const partitions = (count: string): number => {
    const settings = parseSettings({ flags: { data: folder, 'data-partitions': count } });
    return localPlatformContext(settings, EVENTS).settings.data.partitions;
  };
  expect(partitions('3')).toBe(3);
  for (const name of ['0', '1', '2']) mkdirSync(join(folder, 'log', 'points', name), { recursive: true });
  expect(partitions('8')).toBe(3);
});
