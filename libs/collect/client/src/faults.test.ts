import { describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import {
  addFaultCounts,
  assertAllFired,
  type FaultCount,
  type SimulatedNode,
  SimulatedWorld,
} from '@tidemark/simulation';
import { Client } from './client.ts';
import { ModelIntake } from './model-intake.fixture.ts';

/** `SEED=n` replays a seed. */
const FIRST_SEED = Number(process.env.SEED ?? 1);
const SEEDS = process.env.SEED === undefined ? Number(process.env.SEEDS ?? 25) : 1;

interface Run {
  readonly world: SimulatedWorld;
  readonly intake: ModelIntake;
  readonly node: SimulatedNode;
  /** Recorded values, each with whether it has had time to reach the disk. */
  readonly recorded: Map<number, { safe: boolean }>;
  client: Client | undefined;
}

interface RunOptions {
  readonly spool: boolean;
  readonly crashes: boolean;
  readonly faults: Readonly<Record<string, number>>;
}

async function start(run: Run, spool: boolean): Promise<void> {
  run.client = await run.node.start(({ clock, random, disk }) =>
    Client.open(
      { connector: run.intake, addresses: ['a'], clock, random, disk: spool ? disk : undefined },
      {
        name: 'test',
        flushIntervalMs: 1000,
        replyTimeoutMs: 3000,
        maxBackoffMs: 500,
        spoolFileBytes: 600,
        maxBatchBytes: 240,
      },
    ),
  );
}

function addsUp(client: Client): void {
  const stats = client.stats();
  const { ackedPoints, rejectedPoints, refusedPoints, droppedPoints, indeterminatePoints, pendingPoints } = stats;
  expect(ackedPoints + rejectedPoints + refusedPoints + droppedPoints + indeterminatePoints + pendingPoints).toBe(
    stats.points + stats.recoveredPoints,
  );
  expect(stats.internalErrors).toBe(0);
}

async function simulate(seed: number, options: RunOptions): Promise<Run> {
  const world = new SimulatedWorld({ seed, faults: options.faults });
  const random = world.random.fork('test');
  const intake = new ModelIntake({
    clock: world.clock,
    random: world.random.fork('intake'),
    window: 8,
    ...{ breaks: 0.02, retries: 0.1, busy: 0.05 },
  });
  const run: Run = { world, intake, node: world.node('agent'), recorded: new Map(), client: undefined };
  await openRun(run, options);
  let value = 0;
  for (let step = 0; step < 60; step++) {
    // The series of one step are distinct: of equal series and timestamps only the last value is kept.
    const base = Math.floor(random.next() * 12);
    for (let i = Math.floor(random.next() * 7); i > 0; i--) {
      run.recorded.set(++value, { safe: false });
      const tags = [`host:${value % 3}`];
      run.client?.gauge(`m${(base + i) % 12}`, value, tags, Math.floor(run.node.clock.wallMs()));
    }
    if (random.next() < 0.05) intake.breakAll();
    if (random.next() < 0.05) intake.changeMap();
    if (random.next() < 0.08) intake.up = !intake.up;
    if (!intake.up) intake.breakAll();
    await world.clock.advance(1 + random.next() * 700);
    if (run.client !== undefined) addsUp(run.client);
    if (options.crashes && random.next() < 0.08) {
      const settle = random.next() < 0.5;
      // After the next flush and a second for the disk, all of it must survive.
      if (settle) await world.clock.advance(2500);
      run.node.crash(random.next() < 0.5 ? 'power' : 'process');
      if (settle) for (const entry of run.recorded.values()) entry.safe = true;
      await openRun(run, options);
      if (!settle) forgetUnsent(run);
    }
  }
  for (const entry of run.recorded.values()) entry.safe = true;
  intake.up = true;
  intake.calm = true;
  world.faults.stop();
  await world.clock.advance(2000);
  let settled = false;
  run.client?.settled().then(() => {
    settled = true;
  });
  await world.clock.run(() => settled, 600_000);
  return run;

  async function openRun(of: Run, { spool }: RunOptions): Promise<void> {
    let opened: Error | true | undefined;
    start(of, spool).then(
      () => {
        opened = true;
      },
      (error) => {
        opened = error;
      },
    );
    await world.clock.run(() => opened !== undefined, 60_000);
    if (opened === true) return;
    if (!isTidemarkError(opened)) throw opened;
    await world.clock.advance(1000);
    await openRun(of, { ...options, spool });
  }
}

/**
 * Removes the last recorded values, which a crash may lose, from the expected ones; delivered and spooled values
 * remain.
 */
function forgetUnsent(run: Run): void {
  for (const [value, { safe }] of run.recorded) if (!safe) run.recorded.delete(value);
}

function expectExactlyOnce({ intake, recorded }: Run, seed: number): void {
  const times = new Map<number, number>();
  for (const { value } of intake.delivered) times.set(value, (times.get(value) ?? 0) + 1);
  const doubled = [...times].filter(([, count]) => count > 1);
  const missing = [...recorded.keys()].filter((value) => !times.has(value));
  expect({ seed, violations: intake.violations, doubled, missing }).toEqual({
    seed,
    violations: [],
    doubled: [],
    missing: [],
  });
}

describe(`under faults, seeds ${FIRST_SEED}..${FIRST_SEED + SEEDS - 1}`, () => {
  test('in memory alone, every point arrives once in batches that never change', async () => {
    let resends = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const run = await simulate(seed, { spool: false, crashes: false, faults: {} });
      expectExactlyOnce(run, seed);
      expect(run.client?.stats()).toMatchObject({ ackedPoints: run.recorded.size, pendingPoints: 0 });
      resends += run.intake.resends;
    }
    expect(resends).toBeGreaterThan(0);
  });

  test('with a spool, crashes and power cuts lose nothing that had reached the disk', async () => {
    let recovered = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const run = await simulate(seed, { spool: true, crashes: true, faults: { 'disk.slow': 0.01 } });
      expectExactlyOnce(run, seed);
      expect(run.client?.stats().spoolFailures).toBe(0);
      recovered += run.client?.stats().recoveredPoints ?? 0;
    }
    if (SEEDS > 1) expect(recovered).toBeGreaterThan(0);
  });

  test('with a disk that fails, points still arrive once, from memory', async () => {
    const counts: Record<string, FaultCount>[] = [];
    const faults = { 'disk.full': 0.02, 'disk.write-error': 0.02, 'disk.sync-error': 0.02, 'disk.slow': 0.02 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const run = await simulate(seed, { spool: true, crashes: false, faults });
      expectExactlyOnce(run, seed);
      counts.push(run.world.faults.counts());
    }
    if (SEEDS > 1) assertAllFired(addFaultCounts(counts));
  });

  test('with a failing disk and crashes, nothing arrives twice', async () => {
    const faults = { 'disk.full': 0.02, 'disk.write-error': 0.02, 'disk.sync-error': 0.02 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const run = await simulate(seed, { spool: true, crashes: true, faults });
      run.recorded.clear();
      expectExactlyOnce(run, seed);
    }
  });
});
