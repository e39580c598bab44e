import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { PROCESS_SABOTAGES } from './sabotages.ts';

test.each(PROCESS_SABOTAGES)('$name finds its place in the source, once', async ({ file, find }) => {
  const source = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
  expect(source.split(find)).toHaveLength(2);
});
