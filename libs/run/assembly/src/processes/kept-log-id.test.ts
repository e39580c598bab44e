import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LocalDisk } from '@tidemark/node-runtime';
import { keptLogId } from './kept-log-id.ts';

const ID = 'XsZ6RrB2QEy8k8-F4w3q1A';

describe('the id of the log that a data folder is of', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-log-id-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function kept(id: string | undefined, topic: 'points' | 'tags' = 'points'): Promise<string | undefined> {
    const log = { bounds: async () => ({ first: 0, next: 0, ...(id === undefined ? {} : { id }) }) };
    return keptLogId(new LocalDisk(folder), log, topic, 0);
  }

  test('is that of the first start, whatever the log is later', async () => {
    expect(await kept(ID)).toBe(ID);
    expect(await readFile(join(folder, 'LOG-ID'), 'latin1')).toBe(`tidemark-log-id 1 points ${ID}\n`);
    expect(await readdir(folder)).toEqual(['LOG-ID']);
    expect(await kept('another')).toBe(ID);
  });

  test('is none where the log has none', async () => {
    expect(await kept(undefined)).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    ['', 'data_loss', /LOG-ID names no log/],
    [`tidemark-log-id 1 points ${ID}`, 'data_loss', /LOG-ID names no log/],
    [`tidemark-log-id 1 points ${ID}\n${'x'.repeat(1000)}`, 'data_loss', /LOG-ID names no log/],
    [`tidemark-log-id 2 points ${ID}\n`, 'failed_precondition', /LOG-ID has format 2, this program reads 1/],
    [`tidemark-log-id 1 tags ${ID}\n`, 'failed_precondition', /the data folder is of tags, not of points/],
  ])('is not guessed from %j', async (text, code, message) => {
    await writeFile(join(folder, 'LOG-ID'), text);
    await expect(kept(ID)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
