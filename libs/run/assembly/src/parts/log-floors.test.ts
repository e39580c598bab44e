import { expect, test } from '@jest/globals';
import type { LostRange } from '@tidemark/embedded-log';
import { TidemarkError, type Topic } from '@tidemark/ports';
import { LogFloors } from './log-floors.ts';

/** A log with the id `a` in which each partition ends at `next`, on a disk that may be full or gone. */
class ShortLog {
  readonly raised: string[] = [];
  next = 3;
  lost: LostRange[] = [];
  failure: 'resource_exhausted' | 'unavailable' | undefined;

  async bounds() {
    return { first: 0, next: this.next, id: 'a' };
  }

  async raise(topic: Topic, partition: number, next: number): Promise<void> {
    this.raised.push(`${topic}/${partition} ${next}`);
    if (this.failure !== undefined) throw new TidemarkError(this.failure, 'the disk');
  }
}

test('a partition is raised to what its store has, also when that opened last', async () => {
  const log = new ShortLog();
  const floors = new LogFloors(log);
  floors.opened('points', 0, 3, 'a');
  floors.opened('tags', 0, 0, undefined);
  expect(await floors.raise()).toEqual([]);
  floors.opened('points', 1, 5, 'a');
  expect(await floors.raise()).toEqual([
    {
      topic: 'points',
      partition: 1,
      message: expect.stringContaining('points/1 ended at offset 3, but its store has records up to 5'),
    },
  ]);
  expect(log.raised).toEqual(['points/1 5']);
});

test('what the log itself found to be gone is reported, once for each partition', async () => {
  const log = new ShortLog();
  log.lost = [
    { topic: 'points', partition: 1, from: 2, to: 3 },
    { topic: 'control', partition: 0, from: 7, to: 9 },
  ];
  const floors = new LogFloors(log);
  floors.opened('points', 1, 5, 'a');
  const messages = (await floors.raise()).map(({ message }) => message);
  expect(messages).toEqual([
    expect.stringContaining('points/1 ended at offset 3, but its store has records up to 5'),
    expect.stringContaining('control/0 may have had records from offset 7 up to 9, and no file has them'),
  ]);
});

test('a folder that is gone is reported by its name, and the offset of its store raises nothing', async () => {
  const log = new ShortLog();
  log.next = 2 ** 40;
  log.lost = [{ topic: 'tags', partition: 1, from: 0, to: 2 ** 40, isFolderGone: true }];
  const floors = new LogFloors(log);
  floors.opened('tags', 1, 5, 'a');
  const messages = (await floors.raise()).map(({ message }) => message);
  expect(messages).toEqual([expect.stringMatching(/^log\/tags\/1 is gone, .* restore log\/tags\/1 from a copy/)]);
  expect(log.raised).toEqual([]);
});

test('the offset of a store of another log raises nothing', async () => {
  const log = new ShortLog();
  const floors = new LogFloors(log);
  floors.opened('points', 0, 5, 'b');
  floors.opened('points', 1, 5, undefined);
  expect([await floors.raise(), log.raised]).toEqual([[], []]);
});

test('a full disk does not keep the other partitions from being raised; a disk that is gone does', async () => {
  const log = new ShortLog();
  const floors = new LogFloors(log);
  floors.opened('points', 0, 5, 'a');
  floors.opened('tags', 0, 4, 'a');
  log.failure = 'resource_exhausted';
  expect((await floors.raise()).length).toBe(2);
  expect(log.raised).toEqual(['points/0 5', 'tags/0 4']);
  log.failure = 'unavailable';
  await expect(floors.raise()).rejects.toMatchObject({ code: 'unavailable' });
});
