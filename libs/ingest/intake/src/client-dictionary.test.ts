import { expect, test } from '@jest/globals';
import { seriesId, seriesName } from '@tidemark/model';
import { ClientDictionary } from './client-dictionary.ts';

test('older refs of a series whose interval changes state the new one when they are defined again', () => {
  const dictionary = new ClientDictionary(1, 0);
  const add = (metric: string, intervalMs: number): void => {
    const name = seriesName('t', metric, 1, []);
    dictionary.add({ seriesId: seriesId(name), metricId: Buffer.alloc(16), seriesClass: 1, intervalMs }, name);
  };
  const intervalsMs = () => dictionary.definitions(0, dictionary.size).map(({ intervalMs }) => intervalMs);
  add('a', 30_000);
  add('b', 5_000);
  add('a', 60_000);
  dictionary.restate(0);
  expect(intervalsMs()).toEqual([60_000, 5_000, 60_000]);
  add('a', 15_000);
  dictionary.restate(2);
  expect(intervalsMs()).toEqual([15_000, 5_000, 15_000, 15_000]);
  // A ref that was restated before names the series as well.
  add('a', 20_000);
  dictionary.restate(0);
  expect(intervalsMs()).toEqual([20_000, 5_000, 20_000, 20_000, 20_000]);
  // What a client may also name: another series, the new ref itself, and one that is not defined.
  for (const ref of [1, 4, 5, 1_000_000]) dictionary.restate(ref);
  expect(intervalsMs()).toEqual([20_000, 5_000, 20_000, 20_000, 20_000]);
});
