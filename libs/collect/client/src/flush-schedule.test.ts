import { describe, expect, test } from '@jest/globals';
import { SeededRandom, SimulatedWorld } from '@tidemark/simulation';
import { Client } from './client.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientOptions, ClientWarning } from './options.ts';

async function setUp(options: Partial<ClientOptions>, latenessMs: number | undefined, startMs = 0) {
  const world = new SimulatedWorld({ seed: 1 });
  await world.clock.advance(startMs);
  const random = new SeededRandom('intake');
  const intake = new ModelIntake({ clock: world.clock, random, ...(latenessMs === undefined ? {} : { latenessMs }) });
  const client = await Client.open(
    { connector: intake, addresses: ['a:1'], clock: world.clock, random: world.random.fork('client') },
    { name: 'test', ...options },
  );
  return { world, intake, client };
}

/** Records every 50 ms for a minute, and returns how long after its timestamp each point reached the intake, ms. */
async function lags(options: Partial<ClientOptions>, latenessMs: number | undefined, startMs = 0): Promise<number[]> {
  const { world, intake, client } = await setUp(options, latenessMs, startMs);
  for (let i = 0; i < 1200; i++) {
    client.gauge('depth', i);
    client.count('hits');
    client.counter('bytes', i);
    client.distribution('latency', i);
    await world.clock.advance(50);
  }
  const closing = client.close();
  await world.clock.advance(6000);
  await closing;
  expect(intake.violations).toEqual([]);
  const { ackedPoints, points, droppedPoints } = client.stats();
  expect([ackedPoints, droppedPoints]).toEqual([points, 0]);
  const hits = intake.delivered.filter(({ metric }) => metric === 'hits');
  expect(hits.reduce((sum, { value }) => sum + value, 0)).toBe(1200);
  return [...intake.delivered, ...intake.sketches].map(({ acceptedMs, timeMs }) => acceptedMs - timeMs);
}

describe('a client without an interval of its own', () => {
  test.each([300, 1000, 3000, 20_000, 60_000])('makes no point late when D is %d ms', async (latenessMs) => {
    // The greeting comes after up to 40 ms, wherever in a second the client starts.
    for (const startMs of [0, 1, 333, 999]) {
      expect(Math.max(...(await lags({}, latenessMs, startMs)))).toBeLessThan(latenessMs);
    }
  });

  test('flushes at a third of D, and says so', async () => {
    const { world, intake, client } = await setUp({}, 3000);
    await world.clock.advance(500);
    expect(client.stats()).toMatchObject({ flushIntervalMs: 1000, latenessMs: 3000, warnings: [] });
    expect(intake.flushIntervals).toEqual([undefined]);
  });

  test('keeps its first interval with an intake that does not name D', async () => {
    const { world, client } = await setUp({}, undefined);
    await world.clock.advance(500);
    expect(client.stats()).toMatchObject({ flushIntervalMs: 1000, latenessMs: undefined });
    expect(Math.max(...(await lags({}, undefined)))).toBeLessThan(1500);
  });

  test('follows D to the next intake, and breaks no promise of its frontier', async () => {
    const { world, intake, client } = await setUp({}, 20_000);
    const greeting = intake.greeting.bind(intake);
    for (const latenessMs of [20_000, 3000, 60_000, 300]) {
      intake.greeting = () => {
        const reply = greeting();
        if (reply.message?.$case === 'greeting') reply.message.value.latenessMs = latenessMs;
        return reply;
      };
      intake.breakAll();
      for (let i = 0; i < 200; i++) {
        client.count('hits');
        await world.clock.advance(70);
      }
      expect(client.stats().latenessMs).toBe(latenessMs);
    }
    expect(client.stats()).toMatchObject({ flushIntervalMs: 100, behindFrontierPoints: 0 });
    client.flush();
    await world.clock.run(() => client.stats().pendingPoints === 0, 60_000);
    expect(intake.violations).toEqual([]);
    expect(intake.delivered.reduce((sum, { value }) => sum + value, 0)).toBe(800);
  });
});

describe('an interval that a program chose', () => {
  test('is kept when it is too long for D, and reported once over several greetings', async () => {
    const warnings: ClientWarning[] = [];
    const onWarning = (warning: ClientWarning) => warnings.push(warning);
    const { world, intake, client } = await setUp({ flushIntervalMs: 10_000, onWarning }, 3000);
    for (let i = 0; i < 3; i++) {
      await world.clock.advance(1000);
      intake.breakAll();
    }
    expect(warnings).toMatchObject([{ reason: 'flush_interval_too_long', field: 'flushIntervalMs', limit: '2000 ms' }]);
    expect(warnings[0].message).toContain('10000');
    expect(client.stats()).toMatchObject({ flushIntervalMs: 10_000, latenessMs: 3000, warnings });
    expect(new Set(intake.flushIntervals)).toEqual(new Set([10_000]));
    expect(Math.max(...(await lags({ flushIntervalMs: 10_000 }, 3000)))).toBeGreaterThan(3000);
  });

  test('is not reported when it fits', async () => {
    const { world, client } = await setUp({ flushIntervalMs: 2000 }, 3000);
    await world.clock.advance(1000);
    expect(client.stats()).toMatchObject({ flushIntervalMs: 2000, warnings: [] });
  });

  test('counts, too, when the program flushes by hand', async () => {
    const { world, intake, client } = await setUp({ flushIntervalMs: 0, handFlushIntervalMs: 5000 }, 3000);
    await world.clock.advance(1000);
    expect(client.stats()).toMatchObject({ flushIntervalMs: 0, warnings: [{ reason: 'flush_interval_too_long' }] });
    expect(intake.flushIntervals).toEqual([5000]);
  });
});
