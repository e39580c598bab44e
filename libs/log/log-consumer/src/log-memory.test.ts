import { expect, test } from '@jest/globals';
import { isTidemarkError, type LogBounds, type LogRecord, TidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { LogMemory } from './index.ts';

/** A log that holds the generation of each of its records. */
class GenerationLog {
  id: string | undefined = 'log a';
  first = 0;
  /** Offset of a record that can't be read. */
  damaged = -1;
  readonly generations: number[];

  constructor(generations: readonly number[]) {
    this.generations = [...generations];
  }

  async read(_topic: string, _partition: number, from: number): Promise<LogRecord[]> {
    if (from === this.damaged) throw new TidemarkError('data_loss', 'bit rot');
    return [this.record(from)];
  }

  async bounds(): Promise<LogBounds> {
    const { first, id } = this;
    return { first, next: this.generations.length, ...(id !== undefined && { id }) };
  }

  record(offset: number): LogRecord {
    return { offset, appendTimeMs: 0, value: new Uint8Array(0), generation: this.generations[offset] };
  }
}

/** A database in which a consumer of `log` has committed `committed` of `read` records. */
async function databaseOf(log: GenerationLog, committed: number, read = committed): Promise<MemoryKeyValue> {
  const keyValue = new MemoryKeyValue();
  const memory = await LogMemory.load(keyValue);
  expect(await memory.difference(log, 'points', 0, 0)).toBeUndefined();
  for (let offset = 0; offset < read; offset++) memory.note(log.record(offset));
  await memory.save();
  expect(memory.id).toBe(log.id);
  return new MemoryKeyValue(keyValue.content);
}

async function differenceOf(keyValue: MemoryKeyValue, log: GenerationLog, committed: number): Promise<string> {
  const difference = await (await LogMemory.load(keyValue)).difference(log, 'points', 0, committed);
  expect(difference === undefined || isTidemarkError(difference, 'data_loss')).toBe(true);
  return difference?.message ?? '';
}

test('the log that was read is accepted, also when it has grown and was trimmed', async () => {
  const log = new GenerationLog([7, 7, 8, 8]);
  const keyValue = await databaseOf(log, 4);
  log.generations.push(9, 9, 9);
  expect(await differenceOf(keyValue, log, 4)).toBe('');
  log.first = 4;
  expect(await differenceOf(keyValue, log, 4)).toBe('');
});

test('a log with another id is not the one that was read, at any length', async () => {
  const keyValue = await databaseOf(new GenerationLog([7, 7]), 2);
  for (const length of [0, 1, 2, 5]) {
    const other = new GenerationLog(Array.from({ length }, () => 7));
    other.id = 'log b';
    expect(await differenceOf(keyValue, other, 2)).toContain('it has the id log b, expected log a');
  }
});

test('an older copy of the log that other records were appended to is not the one that was read', async () => {
  const keyValue = await databaseOf(new GenerationLog([7, 7, 8, 8]), 4);
  expect(await differenceOf(keyValue, new GenerationLog([7, 7, 9, 9, 9]), 4)).toContain(
    'the record at offset 3 was appended by another run',
  );
  // A copy that ends before the committed offset is for the consumer to find out.
  expect(await differenceOf(keyValue, new GenerationLog([7, 7]), 4)).toBe('');
});

test('records that were read after the last commit count for nothing', async () => {
  const keyValue = await databaseOf(new GenerationLog([7, 7, 8, 8]), 2, 4);
  expect(await differenceOf(keyValue, new GenerationLog([7, 7, 9, 9]), 2)).toBe('');
  expect(await differenceOf(keyValue, new GenerationLog([7, 6, 9, 9]), 2)).not.toBe('');
});

test('a log without ids or generations, and a record that can’t be read, are accepted', async () => {
  const log = new GenerationLog([7, 7]);
  const keyValue = await databaseOf(log, 2);
  log.damaged = 1;
  expect(await differenceOf(keyValue, log, 2)).toBe('');
  log.id = undefined;
  expect(await differenceOf(keyValue, log, 2)).toBe('');
});

test('a damaged entry is data_loss', async () => {
  const keyValue = await databaseOf(new GenerationLog([7, 7]), 2);
  for (const [key, value] of keyValue.content) keyValue.content.set(key, value.subarray(0, 5));
  await expect(LogMemory.load(keyValue)).rejects.toMatchObject({ code: 'data_loss' });
});
