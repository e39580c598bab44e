import { expect, test } from '@jest/globals';
import { ControlFollower, type ControlMessage, ControlWriter } from '@tidemark/control-log';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import { DEFAULT_POINT_LIMITS, evenMap, packSlots } from '@tidemark/model';
import { type Log, TidemarkError } from '@tidemark/ports';
import { SimulatedWorld } from '@tidemark/simulation';
import { sessionClock } from './accept-clock.ts';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from './intake-limits.ts';
import { IntakeRunner } from './intake-runner.ts';

interface Bench {
  readonly world: SimulatedWorld;
  readonly runner: IntakeRunner;
  readonly control: ControlFollower;
  readonly fatal: Error[];
  /** Time by which the first session's clock is off. */
  skewMs: number;
  isUnreachable: boolean;
  decide(message: ControlMessage): Promise<unknown>;
  play<T>(work: Promise<T>): Promise<T>;
}

async function started(): Promise<Bench> {
  const world = new SimulatedWorld({ seed: 1 });
  const { clock } = world;
  const play = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    await clock.run(() => isDone, 60_000);
    return done;
  };
  const partitions = { points: 1, tags: 1, control: 1 };
  const stored = await play(
    world.node('log').start(({ clock, disk, random }) => openEmbeddedLog({ clock, disk, random, partitions })),
  );
  const log: Log = {
    writer: async (topic, partition) => {
      const writer = await stored.writer(topic, partition);
      return {
        append: async (sequence, value) => {
          if (bench.isUnreachable) throw new TidemarkError('unavailable', 'the log is unreachable');
          return writer.append(sequence, value);
        },
      };
    },
    read: (topic, partition, from, options) => stored.read(topic, partition, from, options),
    bounds: (topic, partition) => stored.bounds(topic, partition),
    trim: (topic, partition, before) => stored.trim(topic, partition, before),
  };
  const control = new ControlFollower(stored, clock);
  await play(control.start());
  const fatal: Error[] = [];
  let clocks = 0;
  const limits = { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS };
  const runner = new IntakeRunner(
    {
      ...{ log, control, clock, random: world.random, process: 'test', limits, timing: DEFAULT_LANE_TIMING },
      knownSeries: async (_partition, _tenant, ids) => ids.map(() => true),
      acceptClock: () => {
        const own = sessionClock(clock);
        const isFirst = clocks++ === 0;
        return { nowMs: () => own.nowMs() + (isFirst ? bench.skewMs : 0) };
      },
    },
    { info: () => undefined, error: () => undefined, fatal: (error) => fatal.push(error) },
  );
  const writer = new ControlWriter(stored, clock);
  const decide = (message: ControlMessage) => play(writer.append(message));
  const bench: Bench = { world, runner, control, fatal, skewMs: 0, isUnreachable: false, decide, play };
  const map = { epoch: 1, partitions: 1, slots: packSlots(evenMap(1)) };
  await decide({ $case: 'term', value: { term: 1, process: 'test' } });
  await decide({ $case: 'map', value: { term: 1, expectedEpoch: 0, map } });
  await play(runner.start());
  return bench;
}

function fence({ runner }: Bench): ControlMessage {
  const session = Buffer.from(runner.session?.session ?? []);
  return { $case: 'fence', value: { term: 1, session, lane: undefined, reason: 'test' } };
}

function open({ control }: Bench): number {
  return [...control.state.sessions.values()].filter(({ state }) => state === 'open').length;
}

test('stop waits for a restart, which leaves no session behind', async () => {
  for (const advanceMs of [0, 1, 5, 50, 500]) {
    const bench = await started();
    await bench.decide(fence(bench));
    await bench.world.clock.advance(advanceMs);
    await bench.play(bench.runner.stop());
    await bench.world.clock.advance(20_000);
    expect([open(bench), bench.runner.session, bench.fatal]).toEqual([0, undefined, []]);
  }
});

test('stop ends within a bound while a session cannot register', async () => {
  const bench = await started();
  const fenced = fence(bench);
  bench.isUnreachable = true;
  await bench.decide(fenced);
  await bench.world.clock.advance(3000);
  const startMs = bench.world.clock.monotonicMs();
  await bench.play(bench.runner.stop());
  expect(bench.world.clock.monotonicMs() - startMs).toBeLessThan(11_000);
  bench.isUnreachable = false;
  await bench.world.clock.advance(20_000);
  expect([open(bench), bench.runner.session, bench.fatal]).toEqual([0, undefined, []]);
});

test('a session that is fenced while its clock is off is replaced once', async () => {
  for (const advanceMs of [0, 1900, 3900, 4100]) {
    const bench = await started();
    const fenced = fence(bench);
    bench.skewMs = 4000;
    await bench.world.clock.advance(advanceMs);
    await bench.decide(fenced);
    await bench.world.clock.advance(20_000);
    expect([open(bench), bench.control.state.sessions.size, bench.fatal]).toEqual([1, 2, []]);
  }
});
