import { expect, test } from '@jest/globals';
import { fenceKey } from '@tidemark/control-log';
import { RECORD } from '@tidemark/point-records';
import { IntakeBench, PARTITIONS } from './intake-bench.fixture.ts';
import { DEFAULT_LANE_TIMING } from './intake-limits.ts';
import { LaneSet } from './lane-set.ts';

const SESSION = Buffer.alloc(16, 8);

async function setUp() {
  const bench = await IntakeBench.open();
  const ended: number[] = [];
  const may = { open: true };
  const lanes = new LaneSet({
    ...{ log: bench.log, clock: bench.clock, acceptClock: bench.acceptClock, session: SESSION, queueBytes: 1000 },
    timing: { ...DEFAULT_LANE_TIMING, appendMs: 500 },
    markLimitMs: () => Number.POSITIVE_INFINITY,
    partitions: () => PARTITIONS,
    era: () => (may.open ? { offset: -1, startMs: 0 } : undefined),
    onAppended: () => undefined,
    onLaneEnded: (partition) => ended.push(partition),
  });
  return { bench, lanes, ended, may };
}

async function typesOf(bench: IntakeBench, partition: number): Promise<number[]> {
  return (await bench.points(partition)).map(({ type }) => type);
}

test('the set opens a lane per partition once it may, and closes all of them in the log', async () => {
  const { bench, lanes, may } = await setUp();
  may.open = false;
  lanes.open();
  await bench.advance(5000);
  expect([lanes.isReady, lanes.refusalOf(0), lanes.tagsOf(0)]).toEqual([false, undefined, undefined]);
  may.open = true;
  lanes.open();
  await bench.until(() => lanes.isReady);
  lanes.open();
  expect(await bench.play(lanes.close())).toBe(true);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const types = await typesOf(bench, partition);
    expect(types.filter((type) => type === RECORD.open)).toHaveLength(1);
    expect(types.at(-1)).toBe(RECORD.close);
  }
  lanes.open();
  await bench.advance(5000);
  expect((await typesOf(bench, 0)).at(-1)).toBe(RECORD.close);
});

test('a dead lane is replaced, listed until it is fenced, and its partition is reported until then', async () => {
  const { bench, lanes, ended } = await setUp();
  lanes.open();
  await bench.until(() => lanes.isReady);
  bench.unreachable.add('points/1');
  await bench.until(() => ended.length > 0);
  expect([...lanes.problems().keys()]).toEqual([1]);
  bench.unreachable.clear();
  await bench.until(() => lanes.isReady);
  expect(lanes.problems().size).toBe(0);
  const { dead } = lanes;
  expect(dead.length).toBeGreaterThan(0);
  expect(dead.every(({ partition }) => partition === 1)).toBe(true);
  lanes.fenced(dead[0]);
  expect(lanes.dead).toEqual(dead.slice(1));
  lanes.forgetFenced(new Set(dead.map((lane) => fenceKey(SESSION, lane))));
  expect(lanes.dead).toEqual([]);
});

test('a dead lane without a fence prevents a clean end of the session', async () => {
  const { bench, lanes, ended } = await setUp();
  lanes.open();
  await bench.until(() => lanes.isReady);
  bench.unreachable.add('points/0');
  await bench.until(() => ended.length > 0);
  bench.unreachable.clear();
  await bench.until(() => lanes.isReady);
  expect(await bench.play(lanes.close())).toBe(false);
});

test('new lanes open while leaving ones are still closing', async () => {
  const { bench, lanes } = await setUp();
  lanes.open();
  await bench.until(() => lanes.isReady);
  lanes.leave();
  expect(lanes.isReady).toBe(false);
  lanes.open();
  await bench.until(() => lanes.isReady);
  const types = await typesOf(bench, 0);
  expect(types.filter((type) => type === RECORD.open)).toHaveLength(2);
  expect(types).toContain(RECORD.close);
});

test('abandoned lanes write nothing, need no fence, and are not replaced', async () => {
  const { bench, lanes, ended } = await setUp();
  lanes.open();
  await bench.until(() => lanes.isReady);
  lanes.abandon('fenced: silent');
  await bench.advance(100);
  const before = (await bench.points(0)).length;
  lanes.open();
  await bench.advance(5000);
  expect([lanes.dead, ended, (await bench.points(0)).length]).toEqual([[], [], before]);
});

test('a lane that died while it left is forgotten once it is fenced', async () => {
  const { bench, lanes } = await setUp();
  lanes.open();
  await bench.until(() => lanes.isReady);
  bench.unreachable.add('points/0');
  lanes.leave();
  await bench.advance(6000);
  bench.unreachable.clear();
  await bench.until(() => lanes.isReady);
  expect(lanes.dead.map(({ partition }) => partition)).toContain(0);
  for (const dead of lanes.dead) lanes.fenced(dead);
  // Otherwise the session could not end in order.
  expect(await bench.play(lanes.close())).toBe(true);
});

test('a lane whose close is among lost records waits for a fence, and one that closed before them does not', async () => {
  const { bench, lanes } = await setUp();
  const leave = async (): Promise<number> => {
    lanes.open();
    await bench.until(() => lanes.isReady);
    lanes.leave();
    await bench.advance(1000);
    return (await bench.points(0)).length - 1;
  };
  await leave();
  const closeOffset = await leave();
  lanes.passed(1, 0);
  lanes.passed(0, closeOffset);
  const of = (partition: number) => lanes.dead.filter((dead) => dead.partition === partition).map(({ lane }) => lane);
  expect([of(0).length, of(1).length]).toEqual([1, 2]);
  expect(of(0)[0]).toBeGreaterThanOrEqual(PARTITIONS);
  lanes.fenced(lanes.dead[0]);
  // A skip may be reported twice.
  lanes.passed(0, closeOffset);
  lanes.passed(1, 0);
  expect(lanes.dead).toHaveLength(2);
});

test('a partition for which the log is full is named until the log stores records of it again', async () => {
  const { bench, lanes } = await setUp();
  lanes.open();
  await bench.until(() => lanes.isReady);
  expect(lanes.stalled).toBeUndefined();
  bench.full.add('points/1');
  await bench.until(() => lanes.stalled !== undefined, 2000);
  expect([lanes.stalled, lanes.isReady]).toEqual([1, false]);
  bench.full.clear();
  await bench.until(() => lanes.isReady, 12_000);
  expect(lanes.stalled).toBeUndefined();
});
