import { expect, test } from '@jest/globals';
import { ControlFollower } from '@tidemark/control-log';
import { evenMap, packSlots } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { IntakeBench, PARTITIONS } from './intake-bench.fixture.ts';
import { MapsInForce } from './maps-in-force.ts';

/** Decides a map, which is in force 2 s later by the log's time. */
function decide(bench: IntakeBench, epoch: number): Promise<void> {
  const map = { epoch, partitions: PARTITIONS, slots: packSlots(evenMap(PARTITIONS, epoch)) };
  return bench.decide({ $case: 'map', value: { term: 1, expectedEpoch: epoch - 1, map } });
}

async function setUp() {
  const bench = await IntakeBench.open();
  const control = new ControlFollower(bench.log, bench.clock);
  await bench.play(control.start());
  const announced: number[] = [];
  const stop = new AbortController();
  const { log, clock, acceptClock } = bench;
  const onInForce = ({ epoch }: { epoch: number }) => announced.push(epoch);
  const now: { reached: () => Promise<void> } = { reached: () => Promise.resolve() };
  const reachedNow = () => now.reached();
  const maps = new MapsInForce({ log, control, clock, acceptClock, onInForce, reachedNow, signal: stop.signal });
  control.listen(() => maps.notice());
  const until = (epoch: number) => bench.until(() => control.state.map?.epoch === epoch);
  return { bench, control, maps, now, announced, stop, until };
}

test('a new map is announced once, when it is in force; one that another replaces before is not', async () => {
  const { bench, maps, announced, until } = await setUp();
  await decide(bench, 2);
  await until(2);
  expect([maps.current.epoch, announced]).toEqual([1, []]);
  await decide(bench, 3);
  await bench.advance(10_000);
  expect([maps.current.epoch, announced]).toEqual([3, [3]]);
  expect(maps.notice()).toBe(false);
});

test('nothing is announced after the session has stopped', async () => {
  const { bench, announced, stop, until } = await setUp();
  await decide(bench, 2);
  await until(2);
  stop.abort();
  await bench.advance(10_000);
  expect(announced).toEqual([]);
});

test('find reads control to its end for a decided map, and names the newest one for any other epoch', async () => {
  const { bench, maps } = await setUp();
  await decide(bench, 2);
  expect((await bench.play(maps.find(2))).epoch).toBe(2);
  await expect(bench.play(maps.find(9))).rejects.toMatchObject({
    code: 'invalid_argument',
    message: 'map_epoch: 9 is not known (limit: 1)',
    detail: { reason: 'map_epoch_unknown', field: 'map_epoch', limit: 1 },
  });
});

test('a map beyond the end that a deposed leader shows is found, or its batches are retried', async () => {
  const { bench, control, maps, now } = await setUp();
  const { next } = await bench.play(bench.log.bounds('control', 0));
  await decide(bench, 2);
  const { bounds } = bench.log;
  bench.log.bounds = async (topic, partition) => ({ ...(await bounds(topic, partition)), next });
  now.reached = async () => {
    throw new TidemarkError('unavailable', 'no renewal');
  };
  await expect(bench.play(maps.find(9))).rejects.toMatchObject({ code: 'unavailable' });
  now.reached = () => control.reached(next);
  expect((await bench.play(maps.find(2))).epoch).toBe(2);
});

test('batches and requests with a key are refused by a map that is not in force yet', async () => {
  const { bench, maps, until } = await setUp();
  await decide(bench, 2);
  await until(2);
  const nowMs = bench.acceptClock.nowMs();
  expect(maps.refusal(1, nowMs)).toBeUndefined();
  expect(maps.refusal(2, nowMs)).toMatchObject({ reason: 'map_not_in_force', field: 'map_epoch', points: 0 });
  expect(() => maps.ofKey(2)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  await bench.advance(5000);
  expect(maps.refusal(2, bench.acceptClock.nowMs())).toBeUndefined();
  expect(maps.ofKey(2).epoch).toBe(2);
});
