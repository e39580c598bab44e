import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { SOURCE_SABOTAGES } from './source-sabotages.ts';

const read = (file: string) => readFile(new URL(`../../${file}`, import.meta.url), 'utf8');

test.each(SOURCE_SABOTAGES)('$name finds its place in the source, once, and its test', async (sabotage) => {
  const { file, find, caughtBy, title } = sabotage;
  expect((await read(file)).split(find)).toHaveLength(2);
  expect((await read(caughtBy)).split(`test('${title}'`)).toHaveLength(2);
});
