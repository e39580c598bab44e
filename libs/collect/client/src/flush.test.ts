import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { SeededRandom, type SimulatedNode, SimulatedWorld } from '@tidemark/simulation';
import { Client } from './client.ts';
import type { FlushResult } from './flush-result.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientOptions } from './options.ts';

interface Setup {
  readonly world: SimulatedWorld;
  readonly node: SimulatedNode;
  readonly intake: ModelIntake;
}

function setUp(faults: Readonly<Record<string, number>> = {}): Setup {
  const world = new SimulatedWorld({ seed: 1, faults });
  const intake = new ModelIntake({ clock: world.clock, random: new SeededRandom('intake') });
  return { world, node: world.node('program'), intake };
}

async function open({ world, node, intake }: Setup, spool: boolean, options: Partial<ClientOptions> = {}) {
  const opened = node.start(({ clock, random, disk }) =>
    Client.open(
      { connector: intake, addresses: ['a'], clock, random, ...(spool ? { disk } : {}) },
      { name: 'test', flushIntervalMs: 0, ...options },
    ),
  );
  return finish(world, opened);
}

async function finish<T>(world: SimulatedWorld, promise: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  promise.then(end, end);
  await world.clock.run(() => done, 120_000);
  return promise;
}

const valuesOf = ({ intake }: Setup) => intake.delivered.map(({ value }) => value).sort((a, b) => a - b);
const counts = (result: FlushResult) => [
  result.acknowledgedPoints,
  result.spooledPoints,
  result.lostPoints,
  result.pendingPoints,
];

describe('flush with a spool', () => {
  test.each(['power', 'process'] as const)(
    'what it says is spooled survives a crash (%s) at that moment',
    async (kind) => {
      const setup = setUp();
      const { world, node, intake } = setup;
      intake.up = false;
      let client = await open(setup, true);
      for (let i = 0; i < 20; i++) {
        client.gauge('m', i, [], world.clock.wallMs() + i);
        const result = await finish(world, client.flush());
        expect([result.outcome, ...counts(result)]).toEqual(['spooled', 0, 1, 0, 0]);
        node.crash(kind);
        client = await open(setup, true);
      }
      intake.up = true;
      await finish(world, client.settled());
      expect(valuesOf(setup)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(intake.violations).toEqual([]);
    },
  );

  test('it waits for no intake, and survives a crash after the stamp as before it', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    const client = await open(setup, true);
    await world.clock.advance(1000);
    // The intake is greeted, so that batches get their stamp; it answers nothing.
    intake.mute = 'a';
    client.gauge('m', 1);
    client.gauge('n', 2);
    const startMs = world.clock.monotonicMs();
    expect(await finish(world, client.flush())).toMatchObject({ outcome: 'spooled', spooledPoints: 2 });
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(1000);
    node.crash('power');
    intake.mute = undefined;
    const second = await open(setup, true);
    await finish(world, second.settled());
    expect(valuesOf(setup)).toEqual([1, 2]);
  });

  test('on a disk that is full it waits for acknowledgements, and names what has none', async () => {
    const setup = setUp({ 'disk.full': 1 });
    const { world, intake } = setup;
    const client = await open(setup, true);
    client.gauge('m', 1);
    // The batch that met the full disk may be half written: it waits for the disk.
    const first = await finish(world, client.flush());
    expect([first.outcome, ...counts(first)]).toEqual(['timeout', 0, 0, 0, 1]);
    client.gauge('m', 2);
    const second = await finish(world, client.flush());
    expect([second.outcome, ...counts(second)]).toEqual(['timeout', 1, 0, 0, 1]);
    world.faults.stop();
    const third = await finish(world, client.flush({ timeoutMs: 60_000 }));
    expect([third.lostPoints, third.pendingPoints]).toEqual([0, 0]);
    await finish(world, client.settled());
    expect(valuesOf(setup)).toEqual([1, 2]);
    expect(intake.violations).toEqual([]);
  });
});

describe('flush without a spool', () => {
  test('resolves when all is acknowledged, what earlier flushes cut included', async () => {
    const setup = setUp();
    const { world } = setup;
    const client = await open(setup, false);
    client.gauge('m', 1);
    const first = client.flush();
    client.gauge('m', 2);
    client.count('hits');
    const second = await finish(world, client.flush());
    expect([second.outcome, ...counts(second)]).toEqual(['acknowledged', 3, 0, 0, 0]);
    expect(await first).toMatchObject({ outcome: 'acknowledged', acknowledgedPoints: 1 });
    expect(valuesOf(setup)).toEqual([1, 1, 2]);
    expect(await client.flush()).toMatchObject({ outcome: 'acknowledged', acknowledgedPoints: 0 });
  });

  test('gives up waiting at its timeout, and the points are sent later', async () => {
    const setup = setUp();
    const { world, intake } = setup;
    intake.up = false;
    const client = await open(setup, false, { closeTimeoutMs: 3000 });
    client.gauge('m', 1);
    const startMs = world.clock.monotonicMs();
    const result = await finish(world, client.flush({ timeoutMs: 250 }));
    expect([result.outcome, ...counts(result)]).toEqual(['timeout', 0, 0, 0, 1]);
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(300);
    expect(await finish(world, client.flush())).toMatchObject({ outcome: 'timeout' });
    expect(world.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(3000);
    intake.up = true;
    expect(await finish(world, client.flush({ timeoutMs: 60_000 }))).toMatchObject({ outcome: 'acknowledged' });
    expect(valuesOf(setup)).toEqual([1]);
  });

  test('names points that are given up, or that the platform refuses', async () => {
    const setup = setUp();
    const { world, intake } = setup;
    intake.up = false;
    const client = await open(setup, false, { memoryBytes: 1000 });
    for (let i = 0; i < 100; i++) client.gauge('m', i, [], 1000 + i);
    const dropped = await finish(world, client.flush());
    expect([dropped.outcome, ...counts(dropped)]).toEqual(['lost', 0, 0, 100, 0]);
    intake.up = true;
    intake.answer = BatchResult_Outcome.REFUSED;
    client.gauge('m', 1);
    expect(await finish(world, client.flush({ timeoutMs: 60_000 }))).toMatchObject({ outcome: 'lost', lostPoints: 1 });
  });
});

test('a flush that close overtakes ends with it, and one on a closed client says so', async () => {
  for (const spool of [true, false]) {
    const setup = setUp();
    setup.intake.up = false;
    const client = await open(setup, spool, { closeTimeoutMs: 100 });
    client.gauge('m', 1);
    const flush = client.flush({ timeoutMs: 60_000 });
    await finish(setup.world, client.close());
    expect((await flush).outcome).toBe(spool ? 'spooled' : 'lost');
    expect(await client.flush()).toMatchObject({ outcome: 'closed' });
  }
});

test('an internal error ends neither the loop nor the program, and is counted', async () => {
  const setup = setUp();
  const { world, intake } = setup;
  const client = await open(setup, false);
  const connect = intake.connect.bind(intake);
  intake.connect = () => {
    throw new TypeError('not a stream');
  };
  client.gauge('m', 1);
  intake.breakAll();
  await world.clock.advance(5000);
  expect(client.stats().internalErrors).toBeGreaterThan(0);
  expect(client.lastError).toBeDefined();
  const greeting = intake.greeting.bind(intake);
  intake.greeting = () => ({ message: { $case: 'greeting', value: null as never } });
  intake.connect = connect;
  await world.clock.advance(5000);
  intake.greeting = greeting;
  expect(await finish(world, client.flush({ timeoutMs: 60_000 }))).toMatchObject({ outcome: 'acknowledged' });
  expect(client.stats().warnings).toMatchObject([{ reason: 'internal' }]);
});

/** Records, flushes, and is killed by itself at the first moment after. */
const PROGRAM = `
import { writeSync } from 'node:fs';
import { connect } from '@tidemark/client';
const [, folder, first] = process.argv;
const client = await connect({ address: '127.0.0.1:1', name: 'killed', spoolFolder: folder, flushIntervalMs: 0 });
for (let i = 0; i < 50; i++) client.gauge('m', Number(first) + i, ['run:' + first, 'n:' + i]);
client.count('hits', Number(first));
client.distribution('latency', 1);
const { outcome, spooledPoints } = await client.flush();
writeSync(1, outcome + ' ' + spooledPoints);
process.kill(process.pid, 'SIGKILL');
`;

test('points of a process that kill -9 ends right after flush are found by the next one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'client-flush-'));
  try {
    for (const first of [1000, 2000, 3000]) {
      const flags = ['--no-warnings', '--input-type=module', '-e', PROGRAM, folder, String(first)];
      const { signal, stdout } = await new Promise<{ signal: unknown; stdout: string }>((resolve) => {
        execFile(process.execPath, flags, { cwd: import.meta.dirname }, (error, out) =>
          resolve({ signal: error?.signal, stdout: out }),
        );
      });
      expect([signal, stdout]).toEqual(['SIGKILL', 'spooled 52']);
    }
    const clock = new SystemClock();
    const intake = new ModelIntake({ clock, random: new SeededRandom('intake') });
    const client = await Client.open(
      { connector: intake, addresses: ['a'], clock, random: new SystemRandom(), disk: new LocalDisk(folder) },
      { name: 'next', flushIntervalMs: 0 },
    );
    await client.settled();
    await client.close();
    const ofMetric = (name: string) => intake.delivered.filter(({ metric }) => metric === name);
    const expected = [1000, 2000, 3000].flatMap((first) => Array.from({ length: 50 }, (_, i) => first + i));
    expect(
      ofMetric('m')
        .map(({ value }) => value)
        .sort((a, b) => a - b),
    ).toEqual(expected);
    expect(ofMetric('hits').reduce((sum, { value }) => sum + value, 0)).toBe(6000);
    expect(intake.sketches).toHaveLength(3);
    expect(intake.violations).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
