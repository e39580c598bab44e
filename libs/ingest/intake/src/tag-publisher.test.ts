import { expect, test } from '@jest/globals';
import { DAY_MS, seriesId, seriesName } from '@tidemark/model';
import { readTagRecord } from '@tidemark/tag-records';
import { ClientDictionary } from './client-dictionary.ts';
import { IntakeBench } from './intake-bench.fixture.ts';
import { TagPublisher } from './tag-publisher.ts';

const HOUR_MS = DAY_MS / 24;

test('a series is published for the days of its points, and for those on which a rare point still holds', async () => {
  const bench = await IntakeBench.open();
  const publisher = new TagPublisher(bench.log, 0, bench.clock);
  const dictionary = new ClientDictionary(1, 0);
  const intervalsMs = [0, 10_000, HOUR_MS, 2 * HOUR_MS, DAY_MS, 31 * DAY_MS];
  const names = intervalsMs.map((intervalMs) => seriesName('t', `m${intervalMs}`, 1, []));
  for (const [i, name] of names.entries()) {
    const definition = { seriesId: seriesId(name), metricId: Buffer.alloc(16), seriesClass: name.seriesClass };
    dictionary.add({ ...definition, intervalMs: intervalsMs[i] }, name);
  }
  const { signal } = new AbortController();
  const publish = (day: number) =>
    bench.play(
      publisher.publish(
        names.map((_, ref) => ({ dictionary, ref, day })),
        signal,
      ),
    );
  await publish(100);
  await publish(101);

  const days = new Map<string, Set<number>>();
  const see = (id: Uint8Array, day: number): void => {
    const key = Buffer.from(id).toString('hex');
    days.set(key, (days.get(key) ?? new Set()).add(day));
  };
  for (const { value } of await bench.play(bench.log.read('tags', 0, 0, { maxBytes: 1 << 20, waitMs: 0 }))) {
    readTagRecord(value, { series: (id, _, day) => see(id, day), day: see, statement: () => undefined });
  }
  const last = names.map((name) => Math.max(...(days.get(seriesId(name).toString('hex')) ?? [])));
  // 2.5 intervals after the day of the last point, less the three hours that a query looks back.
  expect(last).toEqual([101, 101, 101, 102, 104, 179]);
  // Only the day itself counts as published: a point of another one publishes that day and those after it.
  expect([100, 101, 102].map((day) => dictionary.isPublished(day, 4))).toEqual([true, true, false]);
});
