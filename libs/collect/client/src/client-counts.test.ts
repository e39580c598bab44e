import { describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import { type SimulatedNode, SimulatedWorld } from '@tidemark/simulation';
import { Client } from './client.ts';
import type { SeriesHandle } from './gathered-series.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientOptions } from './options.ts';
import { SPOOL_HEADER_BYTES } from './spool-format.ts';
import type { ClientStats } from './stats.ts';

/** `TIDEMARK_TEST_SEED=n` replays a seed. */
const FIRST_SEED = Number(process.env.TIDEMARK_TEST_SEED ?? 1);
const SEEDS = process.env.TIDEMARK_TEST_SEED === undefined ? 8 : 1;

/** A metric that the intake leaves out always, and one that it refuses while its tenant is over budget. */
const BAD_METRIC = 'm0';
const BUDGET_METRIC = 'm1';

/** How far ahead a number may be. */
const AHEAD_MS = 1000;

/** Max points of a batch of the runs with crashes. */
const POINTS_A_STEP = 6;

interface Run {
  readonly world: SimulatedWorld;
  readonly intake: ModelIntake;
  readonly node: SimulatedNode;
  readonly options: Partial<ClientOptions>;
  readonly spool: boolean;
  client?: Client;
  /** Counts of the runs of the client that have ended. */
  readonly ended: ClientStats[];
  /** Values given to the client since its start. */
  given: number;
}

const BASE: Partial<ClientOptions> = {
  flushIntervalMs: 0,
  maxBatchBytes: 240,
  replyTimeoutMs: 3000,
  maxBackoffMs: 500,
  spoolFileBytes: 600,
  seriesExpiryMs: 5000,
};

function setUp(seed: number, options: Partial<ClientOptions>, spool: boolean): Run {
  const world = new SimulatedWorld({ seed, faults: {} });
  let overBudget = false;
  const intake = new ModelIntake({
    clock: world.clock,
    random: world.random.fork('intake'),
    window: 8,
    ...{ breaks: 0.02, retries: 0.1, busy: 0.05, refuses: 0.05, givesUp: true },
    aheadMs: AHEAD_MS,
    verdict: (metric) => (metric === BAD_METRIC ? 'value_nan' : undefined),
    seriesVerdict: (metric) => {
      if (intake.chance(0.2)) overBudget = !overBudget;
      return metric === BUDGET_METRIC && overBudget ? 'series_over_budget' : undefined;
    },
  });
  return { world, intake, node: world.node('program'), options, spool, client: undefined, ended: [], given: 0 };
}

async function open(run: Run): Promise<void> {
  const { world, node, intake, spool } = run;
  run.given = 0;
  const options = { name: 'test', ...BASE, ...run.options };
  const opened = node.start(({ clock, random, disk }) =>
    Client.open({ connector: intake, addresses: ['a'], clock, random, disk: spool ? disk : undefined }, options),
  );
  run.client = await finish(world, opened);
}

async function finish<T>(world: SimulatedWorld, promise: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  promise.then(end, end);
  await world.clock.run(() => done, 600_000);
  return promise;
}

/** What must hold at any moment. */
function addsUp(run: Run): void {
  if (run.client === undefined) return;
  const stats = run.client.stats();
  const { samples, rejectedSamples, mergedSamples, gatheredPoints, points, recoveredPoints, mergedPoints } = stats;
  const { ackedPoints, rejectedPoints, refusedPoints, droppedPoints, indeterminatePoints, pendingPoints } = stats;
  expect(stats.internalErrors).toBe(0);
  expect(samples).toBe(run.given);
  expect(rejectedSamples + mergedSamples + gatheredPoints + points).toBe(samples);
  const settled = mergedPoints + ackedPoints + rejectedPoints + refusedPoints + droppedPoints + indeterminatePoints;
  expect(settled + pendingPoints).toBe(points + recoveredPoints);
}

/** Gives the client one value of any kind, some of them wrong. */
function giveOne(run: Run): void {
  const { world, client, node } = run;
  if (client === undefined) return;
  const random = (below: number) => Math.floor(world.random.next() * below);
  const metric = `m${random(6)}`;
  const tags = [`host:${random(2)}`];
  const atMs = Math.floor(node.clock.wallMs());
  // Few timestamps: many values have the same one, in a batch and across batches.
  const ownMs = random(8) === 0 ? atMs + random(2 * AHEAD_MS) : atMs - random(3);
  const timeMs = random(3) === 0 ? undefined : ownMs;
  const value = random(12) === 0 ? Number.NaN : 1;
  run.given++;
  switch (random(6)) {
    case 0:
      client.gauge(metric, value, tags, timeMs);
      break;
    case 1:
      client.count(metric, value, tags, timeMs);
      break;
    case 2:
      client.counter(metric, value, tags, timeMs);
      break;
    case 3:
      client.distribution(`d${random(3)}`, value, tags, timeMs);
      break;
    case 4:
      client.endSeries(metric, random(4) === 0 ? 'count' : 'gauge', tags, timeMs);
      break;
    default: {
      run.given--;
      const columns = columnsOf(client, metric, tags, random(2) === 0);
      try {
        client.recordColumns(
          columns,
          timeMs ?? atMs,
          Float64Array.from(columns, (_, i) => (i === 0 ? value : 1)),
        );
        run.given += columns.length;
      } catch (error) {
        if (!isTidemarkError(error, 'resource_exhausted')) throw error;
      }
    }
  }
}

/** Handles of columns, one of them twice if wanted; none where the client has its limit of series. */
function columnsOf(client: Client, metric: string, tags: string[], isTwice: boolean): SeriesHandle[] {
  try {
    const one = client.series(metric, 'count', tags);
    return [one, client.series('m5', 'count', []), ...(isTwice ? [one] : [])];
  } catch (error) {
    if (!isTidemarkError(error, 'resource_exhausted')) throw error;
    return [];
  }
}

async function play(
  run: Run,
  steps: number,
  give = () => {
    for (let i = Math.floor(run.world.random.next() * 7); i > 0; i--) giveOne(run);
  },
  crash = async () => {},
): Promise<void> {
  const { world, intake } = run;
  const { random } = world;
  for (let step = 0; step < steps; step++) {
    give();
    addsUp(run);
    if (random.next() < 0.7) run.client?.flush();
    addsUp(run);
    if (random.next() < 0.05) intake.breakAll();
    if (random.next() < 0.05) intake.changeMap();
    if (random.next() < 0.08) intake.up = !intake.up;
    if (!intake.up) intake.breakAll();
    await world.clock.advance(1 + random.next() * 700);
    addsUp(run);
    await crash();
  }
  intake.up = true;
  intake.calm = true;
  world.faults.stop();
  run.client?.flush();
  if (run.client !== undefined) await finish(world, run.client.settled());
  addsUp(run);
}

/** Flips a bit of a file of batches. */
async function flipOne({ world, node }: Run): Promise<void> {
  const random = (below: number) => Math.floor(world.random.next() * below);
  const flipping = node.start(async ({ disk }) => {
    const files: string[] = [];
    for (const folder of await disk.list('spool')) {
      for (const name of await disk.list(`spool/${folder}`)) {
        if (/\.(waiting|stamped)$/.test(name)) files.push(`spool/${folder}/${name}`);
      }
    }
    if (files.length === 0) return;
    const file = await disk.open(files[random(files.length)]);
    const bytes = Buffer.alloc(await file.sizeBytes());
    await file.read(bytes, 0);
    const at = SPOOL_HEADER_BYTES + random(bytes.length - SPOOL_HEADER_BYTES);
    if (at >= bytes.length) return;
    await file.write(Uint8Array.of(bytes[at] ^ (1 << random(8))), at);
    await file.sync();
  });
  await finish(world, flipping);
  node.crash('process');
}

/** All counts of all runs of the client together. */
function totals(run: Run): Record<'acked' | 'merged' | 'gone' | 'indeterminate' | 'cut' | 'bad', number> {
  const all = [...run.ended, ...(run.client === undefined ? [] : [run.client.stats()])];
  const sum = (of: (stats: ClientStats) => number) => all.reduce((total, stats) => total + of(stats), 0);
  return {
    acked: sum(({ ackedPoints }) => ackedPoints),
    merged: sum(({ mergedPoints }) => mergedPoints),
    gone: sum((stats) => stats.rejectedPoints + stats.refusedPoints + stats.droppedPoints),
    indeterminate: sum(({ indeterminatePoints }) => indeterminatePoints),
    cut: sum(({ points }) => points),
    bad: sum(({ spoolBadBytes }) => spoolBadBytes),
  };
}

const storedPoints = ({ intake }: Run) => intake.delivered.length + intake.sketches.length;

describe(`what a client counts is what the store lacks, seeds ${FIRST_SEED}..${FIRST_SEED + SEEDS - 1}`, () => {
  const BOUNDS: [string, Partial<ClientOptions>, boolean][] = [
    ['in memory', {}, false],
    ['with little memory', { memoryBytes: 400 }, false],
    ['with a spool', {}, true],
    ['with a spool and little memory', { memoryBytes: 200 }, true],
    ['with a small spool', { spoolBytes: 3000 }, true],
    ['with a short time until it gives up', { giveUpMs: 4000 }, true],
    ['with few series', { maxSeries: 6 }, true],
  ];

  test.each(BOUNDS)('%s', async (_, options, spool) => {
    let [merged, gone] = [0, 0];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const run = setUp(seed, options, spool);
      await open(run);
      await play(run, 60);
      const all = totals(run);
      const stored = storedPoints(run);
      expect({ seed, violations: run.intake.violations }).toEqual({ seed, violations: [] });
      const isTrue = all.acked <= stored && stored <= all.acked + all.indeterminate;
      expect({ seed, stored, ...all, isTrue }).toEqual({ seed, stored, ...all, isTrue: true });
      merged += all.merged;
      gone += all.gone;
    }
    if (SEEDS > 1) expect([merged > 0, gone > 0]).toEqual([true, true]);
  });

  test.each([
    ['', {}],
    [', a small spool', { spoolBytes: 3000 }],
    [', little memory', { memoryBytes: 200 }],
    [', a short time until it gives up', { giveUpMs: 4000 }],
    [', bits that flip in it', {}, true],
  ] as [string, Partial<ClientOptions>, boolean?][])(
    'through crashes of the program with a spool%s, no more is missing than the runs together counted',
    async (_, options, flips = false) => {
      let [recovered, missing] = [0, 0];
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const run = setUp(seed, options, true);
        await open(run);
        let value = 0;
        const given = new Set<number>();
        const give = () => {
          for (let i = Math.floor(run.world.random.next() * (POINTS_A_STEP + 1)); i > 0; i--) {
            given.add(++value);
            run.given++;
            run.client?.gauge(`m${value % 6}`, value, [], value);
          }
        };
        await play(run, 60, give, async () => {
          if (run.world.random.next() >= 0.08) return;
          // A second after the flush, everything is in the spool, unless it is given up.
          run.client?.flush();
          await run.world.clock.advance(1000);
          addsUp(run);
          if (run.client !== undefined) run.ended.push(run.client.stats());
          run.node.crash(run.world.random.next() < 0.5 ? 'power' : 'process');
          if (flips) await flipOne(run);
          await open(run);
          recovered += run.client?.stats().recoveredPoints ?? 0;
        });
        const all = totals(run);
        const stored = run.intake.delivered.map((point) => point.value);
        const lacking = [...given].filter((one) => !stored.includes(one)).length;
        // A bit in the last record of a file may make it look like a write that was cut off.
        const unknown = flips ? run.ended.length * POINTS_A_STEP : 0;
        const isOnce = new Set(stored).size === stored.length;
        const isTrue = isOnce && lacking <= all.gone + all.indeterminate + unknown;
        expect({ seed, lacking, ...all, isTrue }).toEqual({ seed, lacking, ...all, isTrue: true });
        missing += lacking;
      }
      if (SEEDS > 1) expect([recovered > 0, missing > 0]).toEqual([true, true]);
    },
  );
});

describe('what an unanswered send may have left out', () => {
  test.each([
    ['a series over budget', () => 0],
    ['a number that was ahead', () => 2 * AHEAD_MS],
  ])('%s, is indeterminate, also when a later process gets the answer', async (what, ahead) => {
    const world = new SimulatedWorld({ seed: 1 });
    let isOver = what.includes('budget');
    const intake = new ModelIntake({
      ...{ clock: world.clock, random: world.random.fork('intake'), aheadMs: AHEAD_MS },
      seriesVerdict: (metric) => (metric === BUDGET_METRIC && isOver ? 'series_over_budget' : undefined),
    });
    const run: Run = {
      ...{ world, intake, node: world.node('program'), options: {}, spool: true },
      ended: [],
      given: 0,
    };
    await open(run);
    // The intake stores the batch, and its answer does not arrive.
    intake.mute = 'a';
    run.client?.count(BUDGET_METRIC, 1, [], world.clock.wallMs() + ahead());
    run.client?.count('m5', 1, [], world.clock.wallMs());
    run.client?.flush();
    await world.clock.advance(500);
    expect(intake.delivered.map(({ metric }) => metric)).toEqual(['m5']);
    run.node.crash('process');
    // By now the platform would accept the other point.
    await world.clock.advance(5 * AHEAD_MS);
    [intake.mute, isOver] = [undefined, false];
    for (let restarts = 0; restarts < 2; restarts++) {
      await open(run);
      if (restarts === 0) run.node.crash('process');
    }
    if (run.client !== undefined) await finish(world, run.client.settled());
    expect(run.client?.stats()).toMatchObject({ recoveredPoints: 2, ackedPoints: 1, indeterminatePoints: 1 });
    expect(intake.delivered).toHaveLength(1);
  });
});

describe('points of a client are counted once', () => {
  const calm = async (options: Partial<ClientOptions> = {}) => {
    const run = setUp(1, options, false);
    run.intake.calm = true;
    await open(run);
    const { client, world } = run;
    if (client === undefined) throw new Error('the client is open');
    return { run, client, world, nowMs: Math.floor(world.clock.wallMs()) };
  };

  test('those of equal series and timestamp in a batch are one point, which is rejected once', async () => {
    const { run, client, world, nowMs } = await calm();
    for (const metric of [BAD_METRIC, 'm5']) for (let i = 0; i < 3; i++) client.count(metric, 1, [], nowMs);
    await finish(world, client.flush());
    const counts = { points: 6, mergedPoints: 4, ackedPoints: 1, rejectedPoints: 1, pendingPoints: 0 };
    expect(client.stats()).toMatchObject(counts);
    expect(run.intake.delivered).toMatchObject([{ metric: 'm5', value: 3 }]);
  });

  test('a value that is recorded while the client closes is rejected', async () => {
    const { client, world } = await calm();
    client.count('m5');
    const closing = client.close();
    client.count('m5');
    await finish(world, Promise.all([closing, client.close()]));
    expect(client.stats()).toMatchObject({ samples: 2, rejectedSamples: 1, points: 1, ackedPoints: 1 });
    expect(client.stats().reasons).toEqual({ closed: 1 });
  });

  test('a bad value of columns is rejected, and takes no good one of its series with it', async () => {
    const { run, client, world, nowMs } = await calm();
    const [count, gauge] = [client.series('m5', 'count'), client.series('m6', 'gauge')];
    const values = [1, Number.NaN, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    client.recordColumns([count, count, count, gauge], nowMs, Float64Array.from(values));
    await finish(world, client.flush());
    expect(run.intake.delivered.map(({ metric, value }) => [metric, value])).toEqual(
      expect.arrayContaining([
        ['m5', 1],
        ['m6', Number.POSITIVE_INFINITY],
      ]),
    );
    expect(client.stats()).toMatchObject({ samples: 4, rejectedSamples: 2, points: 2, ackedPoints: 2 });
    expect(client.stats().reasons).toEqual({ value_nan: 1, value_infinite: 1 });
  });
});
