import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LocalDisk } from '@tidemark/node-runtime';
import { keptLogId } from './kept-log-id.ts';

const ID = 'XsZ6RrB2QEy8k8-F4w3q1A';

describe('the log id of a data folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-log-id-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function kept(id: string | undefined, topic: 'points' | 'tags' = 'points'): Promise<string | undefined> {
    const log = { bounds: async () => ({ first: 0, next: 0, ...(id === undefined ? {} : { id }) }) };
    return keptLogId(new LocalDisk(folder), log, topic, 0);
  }

  test('the id is that of the first start, even if the log is another one later', async () => {
    expect(await kept(ID)).toBe(ID);
    expect(await readFile(join(folder, 'LOG-ID'), 'latin1')).toBe(`tidemark-log-id 1 points ${ID}\n`);
    expect(await readdir(folder)).toEqual(['LOG-ID']);
    expect(await kept('another')).toBe(ID);
  });

  test('a log without an id gives none', async () => {
    expect(await kept(undefined)).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    ['', 'data_loss', /LOG-ID is malformed/],
    [`tidemark-log-id 1 points ${ID}`, 'data_loss', /LOG-ID is malformed/],
    [`tidemark-log-id 1 points ${ID}\n${'x'.repeat(1000)}`, 'data_loss', /LOG-ID is malformed/],
    [`tidemark-log-id 2 points ${ID}\n`, 'failed_precondition', /LOG-ID has format 2, this program reads 1/],
    [`tidemark-log-id 1 tags ${ID}\n`, 'failed_precondition', /the data folder holds tags, expected points/],
  ])('the content %j is refused', async (text, code, message) => {
    await writeFile(join(folder, 'LOG-ID'), text);
    await expect(kept(ID)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
