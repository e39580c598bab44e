import { describe, expect, test } from '@jest/globals';
import type { Disk, Random } from '@tidemark/ports';
import { type SimulatedNode, SimulatedWorld } from '@tidemark/simulation';
import { Client } from './client.ts';
import { ModelIntake } from './model-intake.fixture.ts';

/** `TIDEMARK_TEST_SEED=n` replays a seed. */
const REPLAYED = process.env.TIDEMARK_TEST_SEED;
const SEEDS = REPLAYED === undefined ? Array.from({ length: 50 }, (_, i) => i + 1) : [Number(REPLAYED)];
const STEPS = 25;
/** A removed index counts as so many bad bytes. */
const HEADER_BYTES = 44;

const metricOf = (value: number) => `m${value % 7}`;

interface Run {
  readonly seed: number;
  readonly world: SimulatedWorld;
  readonly random: Random;
  readonly intake: ModelIntake;
  readonly node: SimulatedNode;
  readonly recorded: Set<number>;
}

/** What was lost in the spool, as the client of the last process says it. */
interface Said {
  readonly dropped: number;
  readonly indeterminate: number;
  readonly badBytes: number;
  readonly reasons: Readonly<Record<string, number>>;
}

function setUp(seed: number): Run {
  const world = new SimulatedWorld({ seed });
  // The batches that are lost are given up.
  const faults = { window: 8, givesUp: true };
  const intake = new ModelIntake({ clock: world.clock, random: world.random.fork('intake'), ...faults });
  return { seed, world, random: world.random.fork('test'), intake, node: world.node('agent'), recorded: new Set() };
}

async function finish<T>({ world }: Run, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = promise.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined);
  await world.clock.run(() => isDone, 600_000);
  return done;
}

function open(run: Run): Promise<Client> {
  const options = { name: 'test', flushIntervalMs: 0, replyTimeoutMs: 3000, maxBackoffMs: 200, spoolFileBytes: 700 };
  const { intake } = run;
  return finish(
    run,
    run.node.start(({ clock, random, disk }) =>
      Client.open({ connector: intake, addresses: ['a'], clock, random, disk }, options),
    ),
  );
}

/** Records values while the intake comes and goes, and leaves a spool behind. Returns how many were acknowledged. */
async function leaveSpool(run: Run, isAtRest = true): Promise<number> {
  const { world, random, intake, recorded } = run;
  const client = await open(run);
  for (let step = 0; step < STEPS; step++) {
    for (let i = Math.floor(random.next() * 3); i >= 0; i--) {
      recorded.add(recorded.size + 1);
      client.gauge(metricOf(recorded.size), recorded.size, [], Math.floor(world.clock.wallMs()), 10_000);
    }
    client.flush();
    await world.clock.advance(random.next() * 200);
    if (random.next() < 0.3) intake.mute = intake.mute === undefined ? 'a' : undefined;
    if (random.next() < 0.3) intake.up = !intake.up;
    if (!intake.up) intake.breakAll();
  }
  if (isAtRest && random.next() < 0.3) await finish(run, client.close());
  else if (isAtRest) await world.clock.advance(1000);
  return client.stats().ackedPoints;
}

/** Works on the files of the spool while no client runs. */
async function onDisk<T>(run: Run, work: (disk: Disk) => Promise<T>): Promise<T> {
  const result = await finish(
    run,
    run.node.start(({ disk }) => work(disk)),
  );
  run.node.crash('process');
  return result;
}

interface SpoolFiles {
  readonly sessions: readonly string[];
  readonly indexes: readonly string[];
  readonly files: readonly string[];
}

async function filesOf(disk: Disk): Promise<SpoolFiles> {
  const names = await disk.list('spool');
  const sessions = names.filter((name) => name.length === 32).map((name) => `spool/${name}`);
  const indexes = names.filter((name) => name.endsWith('.index')).map((name) => `spool/${name}`);
  const files: string[] = [];
  for (const session of sessions) for (const name of await disk.list(session)) files.push(`${session}/${name}`);
  return { sessions, indexes, files };
}

async function cutOrRemove(disk: Disk, path: string, random: Random): Promise<void> {
  if (random.next() < 0.5) return disk.remove(path);
  const file = await disk.open(path);
  await file.truncate(Math.floor(random.next() * (await file.sizeBytes())));
  await file.sync();
  await file.close();
}

function pick<T>(all: readonly T[], random: Random): T {
  return all[Math.floor(random.next() * all.length)];
}

/** Lets a client send what is left, and returns what it says. */
async function sendRest(run: Run): Promise<Said> {
  const { intake, world } = run;
  intake.mute = undefined;
  intake.up = true;
  const client = await open(run);
  await finish(run, client.settled());
  const { droppedPoints, indeterminatePoints, spoolBadBytes, internalErrors, reasons } = client.stats();
  expect({ seed: run.seed, internalErrors }).toEqual({ seed: run.seed, internalErrors: 0 });
  await finish(run, client.close());
  await world.clock.advance(1000);
  return { dropped: droppedPoints, indeterminate: indeterminatePoints, badBytes: spoolBadBytes, reasons };
}

/** Numbers of recorded values that did not arrive; none may have arrived twice, as another series, or without its interval. */
function missing({ seed, intake, recorded }: Run): number {
  const values = intake.delivered.map(({ value }) => value);
  const doubled = values.filter((value, i) => values.indexOf(value) !== i);
  expect({ seed, doubled, violations: intake.violations }).toEqual({ seed, doubled: [], violations: [] });
  expect({ seed, stated: intake.statedIntervals.filter(([, ms]) => ms !== 10_000) }).toEqual({ seed, stated: [] });
  expect({ seed, wrong: intake.delivered.filter(({ metric, value }) => metric !== metricOf(value)) }).toEqual({
    ...{ seed, wrong: [] },
  });
  return [...recorded].filter((value) => !values.includes(value)).length;
}

/** Every missing value is counted, none that is said never to have been sent arrived, and none counts that was acknowledged. */
function expectCounted(run: Run, { dropped, indeterminate }: Said, acked = 0): void {
  const lacking = missing(run);
  const counted = dropped + indeterminate;
  const isTrue = dropped <= lacking && counted <= run.recorded.size - acked;
  expect({
    seed: run.seed,
    lacking,
    acked,
    dropped,
    indeterminate,
    isCounted: counted >= lacking,
    isTrue,
  }).toMatchObject({
    ...{ isCounted: true, isTrue: true },
  });
}

describe(`what is taken from a spool, seeds ${SEEDS[0]}..${SEEDS.at(-1)}`, () => {
  test('files that are cut or removed, some or all, are counted, and double nothing', async () => {
    let lost = 0;
    for (const seed of SEEDS) {
      const run = setUp(seed);
      const acked = await leaveSpool(run);
      run.node.crash('process');
      await onDisk(run, async (disk) => {
        const { sessions, files } = await filesOf(disk);
        if (files.length === 0) return;
        if (run.random.next() < 0.2) await disk.remove(pick(sessions, run.random));
        else {
          const one = pick(files, run.random);
          const isMany = run.random.next() < 0.3;
          for (const path of files)
            if (path === one || (isMany && run.random.next() < 0.5)) await cutOrRemove(disk, path, run.random);
        }
      });
      const said = await sendRest(run);
      expectCounted(run, said, acked);
      lost += said.dropped + said.indeterminate;
    }
    if (SEEDS.length > 1) expect(lost).toBeGreaterThan(0);
  });

  test('points that were acknowledged do not count as lost with the newest stamps', async () => {
    for (const seed of SEEDS) {
      const run = setUp(seed);
      const client = await open(run);
      for (let i = 1; i <= 5; i++) {
        client.gauge('m', i, [], Math.floor(run.world.clock.wallMs()));
        client.flush();
        await run.world.clock.advance(500 * run.random.next());
      }
      await finish(run, client.settled());
      await run.world.clock.advance(1000);
      expect(client.stats().ackedPoints).toBe(5);
      run.node.crash('process');
      await onDisk(run, async (disk) => {
        for (const path of (await filesOf(disk)).files) if (path.endsWith('.stamped')) await disk.remove(path);
      });
      const { dropped, indeterminate } = await sendRest(run);
      expect({ seed, dropped, indeterminate }).toEqual({ seed, dropped: 0, indeterminate: 0 });
    }
  });

  test('a loss is counted once, also if the program is ended before it has sent the rest', async () => {
    let losses = 0;
    for (const seed of SEEDS) {
      const run = setUp(seed);
      await leaveSpool(run);
      run.node.crash('process');
      await onDisk(run, async (disk) => {
        const { files } = await filesOf(disk);
        if (files.length > 0) await cutOrRemove(disk, pick(files, run.random), run.random);
      });
      run.intake.mute = 'a';
      run.intake.up = run.random.next() < 0.5;
      const client = await open(run);
      await run.world.clock.advance(run.random.next() * 1000);
      run.node.crash(run.random.next() < 0.5 ? 'power' : 'process');
      const first = client.stats();
      const said = await sendRest(run);
      const lacking = missing(run);
      const dropped = first.droppedPoints + said.dropped;
      const counted = dropped + first.indeterminatePoints + said.indeterminate;
      const [isCounted, isTrue] = [counted >= lacking, dropped <= lacking];
      expect({ seed, lacking, counted, dropped, isCounted, isTrue }).toMatchObject({ isCounted: true, isTrue: true });
      losses += first.droppedPoints + first.indeterminatePoints;
      expect({ seed, again: said.reasons.spool_damaged }).toEqual({ seed, again: undefined });
    }
    if (SEEDS.length > 1) expect(losses).toBeGreaterThan(0);
  });

  test('an index that is cut or removed doubles nothing, and what is not sent for it is counted', async () => {
    for (const seed of SEEDS) {
      const run = setUp(seed);
      await leaveSpool(run);
      run.node.crash('process');
      await onDisk(run, async (disk) => {
        const { indexes } = await filesOf(disk);
        if (indexes.length > 0) await cutOrRemove(disk, pick(indexes, run.random), run.random);
      });
      expectCounted(run, await sendRest(run));
    }
  });

  test('an index and files that are removed double nothing, and each index counts as bad bytes', async () => {
    let sessions = 0;
    for (const seed of SEEDS) {
      const run = setUp(seed);
      await leaveSpool(run);
      run.node.crash('process');
      let left: readonly string[] = [];
      await onDisk(run, async (disk) => {
        const { indexes, files } = await filesOf(disk);
        const removed = [...indexes, ...files.filter(() => run.random.next() < 0.5)];
        if (removed.length === indexes.length + files.length) removed.pop();
        for (const path of removed) await disk.remove(path);
        left = (await filesOf(disk)).sessions;
      });
      const said = await sendRest(run);
      const lacking = missing(run);
      const isTrue = said.dropped <= lacking && said.badBytes >= HEADER_BYTES * left.length;
      expect({ seed, lacking, said, left, isTrue }).toMatchObject({ isTrue: true });
      sessions += left.length;
    }
    if (SEEDS.length > 1) expect(sessions).toBeGreaterThan(0);
  });

  test('a stamped file that the index does not know yet and is removed makes no other batch lost', async () => {
    const run = setUp(1);
    const { world, intake, node, recorded } = run;
    const record = async (count: number) => {
      for (let i = 0; i < count; i++) {
        recorded.add(recorded.size + 1);
        const value = recorded.size;
        client.gauge(metricOf(value), value, [], Math.floor(world.clock.wallMs()), 10_000);
        client.flush();
        await world.clock.advance(20);
      }
      await world.clock.advance(1000);
    };
    // The file of waiting batches is older than that of stamped ones.
    intake.up = false;
    const client = await open(run);
    await record(1);
    intake.up = true;
    await world.clock.advance(1000);
    // All are stored, and no answer arrives.
    intake.mute = 'a';
    await record(5);
    expect(intake.delivered.length).toBe(6);
    intake.up = false;
    intake.breakAll();
    await world.clock.advance(1000);
    await record(5);
    node.crash('process');
    await onDisk(run, async (disk) => {
      const { indexes, files } = await filesOf(disk);
      for (const path of files.filter((name) => name.endsWith('.stamped'))) await disk.remove(path);
      for (const path of indexes) {
        const file = await disk.open(path);
        await file.truncate(44);
        await file.close();
      }
    });
    await sendRest(run);
    // Nothing says that the first had a stamp: it is stored twice.
    const arrived = new Set(intake.delivered.map(({ value }) => value));
    expect([...recorded].filter((value) => !arrived.has(value))).toEqual([]);
  });

  test('after a crash alone nothing counts as lost', async () => {
    for (const seed of SEEDS) {
      const run = setUp(seed);
      await leaveSpool(run);
      run.node.crash(run.random.next() < 0.7 ? 'power' : 'process');
      const { dropped, indeterminate } = await sendRest(run);
      expect({ seed, dropped, indeterminate, lacking: missing(run) }).toEqual({
        ...{ seed, dropped: 0, indeterminate: 0, lacking: 0 },
      });
    }
  });

  test('after a crash while batches are sent nothing counts as lost', async () => {
    for (const seed of SEEDS) {
      const run = setUp(seed);
      await leaveSpool(run, false);
      for (let crash = 0; crash < 5; crash++) {
        run.node.crash('power');
        Object.assign(run.intake, { mute: undefined, up: true });
        const client = await open(run);
        for (let i = 0; i < 20; i++) {
          client.gauge('m', -1 - i, [], Math.floor(run.world.clock.wallMs()), 10_000);
          client.flush();
          await run.world.clock.advance(run.random.next() * 20);
        }
        const { droppedPoints, indeterminatePoints } = client.stats();
        expect({ seed, droppedPoints, indeterminatePoints }).toEqual({
          ...{ seed, droppedPoints: 0, indeterminatePoints: 0 },
        });
      }
    }
  });

  test('nothing is left on the disk in the end', async () => {
    for (const seed of SEEDS.slice(0, 20)) {
      const run = setUp(seed);
      await leaveSpool(run);
      run.node.crash('power');
      await sendRest(run);
      expect({ seed, bytes: run.node.disk.usedBytes() }).toEqual({ seed, bytes: 0 });
    }
  });
});
