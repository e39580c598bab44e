import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cacheFolder } from './cache-folder.ts';

test("the cache folder is the given one, or `tidemark` in the user's cache folder", () => {
  expect(cacheFolder({ TIDEMARK_CACHE: '/given', XDG_CACHE_HOME: '/cache' })).toBe('/given');
  expect(cacheFolder({ TIDEMARK_CACHE: '', XDG_CACHE_HOME: '/cache' })).toBe(join('/cache', 'tidemark'));
  expect(cacheFolder({})).toBe(join(homedir(), '.cache', 'tidemark'));
});
