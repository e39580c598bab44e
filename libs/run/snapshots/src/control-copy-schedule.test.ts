import { expect, test } from '@jest/globals';
import { type ControlMessage, ControlState } from '@tidemark/control-log';
import { TidemarkError } from '@tidemark/ports';
import { ManualClock } from '@tidemark/simulation';
import { ControlCopySchedule } from './control-copy-schedule.ts';

const HOUR_MS = 3_600_000;
const TERM: ControlMessage = { $case: 'term', value: { term: 1, process: 'tidemark 7' } };
const RENEWED: ControlMessage = { $case: 'renewed', value: { session: Buffer.alloc(16, 1), deadLanes: [] } };

/** A schedule over a state, whose puts fail while `failing` is set. */
function setUp() {
  const clock = new ManualClock();
  const state = new ControlState();
  const puts: number[] = [];
  const problems: (string | undefined)[] = [];
  const has = { failing: false };
  let listener: (message: ControlMessage) => void = () => undefined;
  const schedule = new ControlCopySchedule({
    control: {
      state,
      listen: (added) => {
        listener = (message) => added(message, 0);
        return () => undefined;
      },
    },
    partitions: () => [{ topic: 'control', partition: 0, id: Buffer.alloc(16, 7), remade: 0 }],
    thread: {
      putControl: async ({ createdMs }) => {
        if (has.failing) throw new TidemarkError('unavailable', 'no answer');
        puts.push(createdMs);
      },
    },
    process: 'tidemark 7',
    clock,
    health: { report: (_kind, _part, cause) => problems.push(cause?.message) },
  });
  /** Lets time pass in steps of a second. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1000) {
      clock.advance(1000);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  schedule.start();
  return { schedule, puts, problems, has, pass, read: (message: ControlMessage) => listener(message) };
}

test('a copy is made at the start, after each decision, and each hour, not with each renewal', async () => {
  const { schedule, puts, pass, read } = setUp();
  await pass(2000);
  expect(puts).toHaveLength(1);
  read(RENEWED);
  await pass(10_000);
  expect(puts).toHaveLength(1);
  read(TERM);
  read(TERM);
  await pass(2000);
  expect(puts).toHaveLength(2);
  await pass(HOUR_MS + 2000);
  expect(puts).toHaveLength(3);
  await schedule.stop();
});

test('a copy that fails is a problem until one succeeds, and is tried again after 1 s, then less often', async () => {
  const { schedule, puts, problems, has, pass } = setUp();
  await pass(2000);
  has.failing = true;
  await pass(HOUR_MS + 130_000);
  const failures = problems.filter((problem) => problem === 'no answer').length;
  expect([puts.length, failures > 5, failures < 15]).toEqual([1, true, true]);
  has.failing = false;
  await pass(62_000);
  expect([puts.length, problems.at(-1)]).toEqual([2, undefined]);
  await schedule.stop();
});

test('a stop copies the last decision, and nothing where all were copied', async () => {
  const { schedule, puts, pass } = setUp();
  await pass(2000);
  await schedule.stop();
  expect(puts).toHaveLength(1);
  const again = setUp();
  await again.pass(2000);
  again.read(TERM);
  await again.schedule.stop();
  expect(again.puts).toHaveLength(2);
});
