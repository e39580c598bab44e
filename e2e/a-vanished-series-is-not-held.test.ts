import { afterEach, expect, test } from '@jest/globals';
import type { QueryReply } from '@tidemark/contract';
import { AgentUnderTest } from './process/agent-under-test.ts';
import { eventually } from './process/eventually.ts';
import { replayDisturbed } from './process/replay-disturbed.ts';
import { TestHarness } from './process/test-harness.ts';
import { TimedExporter } from './process/timed-exporter.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** Readings hold for 2.5 of them, so a series that is held beyond the scrape that lacks it shows for 3 s more. */
const INTERVAL_MS = 2_000;
/** The queues of each scrape. Then the target answers no more until it is revived. */
const SCRAPES = ['ab', 'ab', 'a', 'a', 'ab', 'ab'];

/** An exporter of a gauge and a counter per queue, whose queues come and go, and of the number of each answer. */
async function listen() {
  let isRevived = false;
  const exporter = await TimedExporter.listen(INTERVAL_MS, (answer) => {
    if (answer >= SCRAPES.length && !isRevived) return undefined;
    const queues = SCRAPES[answer] ?? 'ab';
    const samples = (metric: string, value: number): string =>
      [...queues].map((queue) => `${metric}{queue="${queue}"} ${value}\n`).join('');
    const [depth, jobs] = [samples('depth', 7), samples('jobs_total', 1010 + 10 * answer)];
    return `# TYPE answer gauge\nanswer ${answer}\n# TYPE depth gauge\n${depth}# TYPE jobs counter\n${jobs}`;
  });
  harness.onClear(() => exporter.close());
  const revive = (): void => {
    isRevived = true;
  };
  return { exporter, revive };
}

const secondOf = (timeMs: number): number => Math.floor(timeMs / 1000) * 1000;

async function play({ exporter, revive }: Awaited<ReturnType<typeof listen>>): Promise<void> {
  const fromMs = secondOf(Date.now());
  const platform = await harness.platform();
  const agent = await AgentUnderTest.start(await harness.folder(), {
    agent: { addresses: [platform.grpcAddress], flushIntervalMs: 200, hostname: 'web-1' },
    scrape: { targets: [{ url: exporter.url, instance: 'shop', intervalMs: INTERVAL_MS, timeoutMs: 1_500 }] },
  });
  harness.onClear(() => agent.stop());
  /** The start of the first second that ends with a value: the agent began that scrape in it. */
  const beginIn = ({ series: [read] }: QueryReply, value: number): number | undefined =>
    read?.timesMs[read.values.indexOf(value)];
  /** Waits for a scrape that gives a gauge this value. */
  const beginOf = (gauge: string, value: number): Promise<number> =>
    eventually(`${gauge} to be ${value}`, async () => {
      const toMs = secondOf(Date.now()) + 1000;
      return beginIn(await platform.query(`max:${gauge}.rollup(last, 1)`, fromMs, toMs), value);
    });
  const deadMs = await beginOf('tidemark.agent.scrape.up{instance:shop}', 0);
  const answers = await platform.queryComplete('max:answer{*}.rollup(last, 1)', fromMs, deadMs + 1000);
  const begins = SCRAPES.map((_, answer) => beginIn(answers, answer) ?? Number.NaN);
  expect(begins).not.toContain(Number.NaN);
  const toMs = deadMs + 4000;
  /** The starts of the seconds in which a query has a value. */
  const seconds = async (query: string): Promise<number[]> => {
    const { series } = await platform.queryComplete(`${query}.rollup(max, 1)`, fromMs, toMs);
    expect(series).toMatchObject([{ intervalMs: 1000 }]);
    return series[0].timesMs.filter((_, i) => !Number.isNaN(series[0].values[i]));
  };
  /** Each second from one to another one, without the last. */
  const between = (startMs: number, endMs: number): number[] =>
    Array.from({ length: (endMs - startMs) / 1000 }, (_, i) => startMs + i * 1000);
  // A second in which a series ends has a value only if the scrape that ended it began later in the second.
  const within = (all: readonly number[], endsMs: readonly number[]) => all.filter((ms) => !endsMs.includes(ms));

  const a = await seconds('max:depth{queue:a}');
  expect(within(a, [deadMs])).toEqual(between(begins[0], deadMs));
  const b = await seconds('max:depth{queue:b}');
  expect(within(b, [begins[2], deadMs])).toEqual([...between(begins[0], begins[2]), ...between(begins[4], deadMs)]);

  const { series } = await platform.queryComplete('sum:jobs_total{queue:b}.as_count().rollup(sum, 60)', fromMs, toMs);
  const increase = [...series[0].values].filter((value) => value > 0).reduce((sum, value) => sum + value, 0);
  // The four intervals of 10 from the first to the last scrape, and the one that has only a stale marker at its end.
  expect(increase).toBeCloseTo(50, 6);

  revive();
  const backMs = await beginOf('answer{*}', SCRAPES.length);
  const back = await platform.queryComplete('max:depth{queue:b}.rollup(max, 1)', backMs, backMs + 1000);
  expect([...back.series[0].values]).toEqual([7]);
  const { client } = await agent.status();
  expect(client).toMatchObject({ rejectedPoints: 0, refusedPoints: 0, behindFrontierPoints: 0 });
}

test('a scraped gauge holds to the scrape that lacks it or fails, and begins again with its next sample', async () => {
  let target = await listen();
  await replayDisturbed(
    () => play(target),
    () => target.exporter.disturbance(),
    async () => {
      await harness.clear();
      target = await listen();
    },
  );
}, 600_000);
