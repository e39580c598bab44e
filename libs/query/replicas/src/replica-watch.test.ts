import { describe, expect, test } from '@jest/globals';
import { type ReplicaDivergence, ReplicaPosition } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import { SimulatedClock } from '@tidemark/simulation';
import type { PositionsReader } from '@tidemark/store-rpc';
import { outvoted, type ReplicaCheckpoint } from './replica-checkpoints.ts';
import { DEFAULT_REPLICA_LIMITS, type ReplicaLimits } from './replica-limits.ts';
import { ReplicaWatch } from './replica-watch.ts';
import { StoreProcess } from './store-process.ts';

const NEVER: PositionsReader = { positions: () => Promise.reject(new TidemarkError('unavailable', 'not asked')) };

/** Replicas by name, each with the checkpoints it would tell. */
function setUp(topic: 'points' | 'tags', names: string, limits: Partial<ReplicaLimits> = {}) {
  const clock = new SimulatedClock();
  const told: string[] = [];
  let asked = 0;
  const stored = new Map<string, ReplicaCheckpoint[]>();
  const failing = new Set<string>();
  const processes = new Map(
    [...names].map((name) => [name, new StoreProcess(topic, { name, reader: NEVER, partitions: [0] })]),
  );
  const watch = new ReplicaWatch({
    clock,
    limits: { ...DEFAULT_REPLICA_LIMITS, ...limits },
    checkpointsOf: async ({ name }, partition) => {
      asked++;
      if (failing.has(name)) throw new TidemarkError('unavailable', 'away');
      return stored.get(`${name}/${partition}`) ?? [];
    },
    onDivergence: (event, { topic: of, partition, bucketMs, offset, hashes }: ReplicaDivergence) => {
      const all = hashes.map(({ process, hash }) => `${process}=${hash}`).join(' ');
      told.push(`${event} ${of}/${partition} ${bucketMs ?? ''}@${offset} ${all}`);
    },
  });
  /** A replica tells its checkpoints, as `key@offset hash`, and, of tags, what its state is now. */
  const tell = async (name: string, checkpoints: string, now = '', partition = 0) => {
    const list = checkpoints
      .split(',')
      .filter((one) => one !== '')
      .map((one): ReplicaCheckpoint => {
        const [key, offset, hash] = one.trim().split(/[@ ]/);
        return { key: Number(key), offset: Number(offset), hash };
      });
    stored.set(`${name}/${partition}`, list);
    const [offset, stateHash] = now === '' ? [String(list.at(-1)?.offset ?? 0)] : now.split(' ');
    const checkpointOffset = list.at(-1)?.offset;
    processes
      .get(name)
      ?.answered(
        [ReplicaPosition.create({ partition, offset: Number(offset), checkpointOffset, stateHash })],
        clock.wallMs(),
      );
    const process = processes.get(name);
    if (process !== undefined) watch.look(process);
    await clock.advance(1);
  };
  return { clock, watch, told, tell, failing, processes, asked: () => asked };
}

describe('a vote', () => {
  const vote = (text: string) =>
    outvoted(text.split(' ').map((hash, i) => ({ process: 'abcd'[i], offset: hash === '-' ? -1 : 7, hash })));

  test('is lost by those that more than half of all contradict', () => {
    expect(vote('x x y')).toEqual(['c']);
    expect(vote('- x x')).toEqual(['a']);
    expect(vote('x y x x')).toEqual(['b']);
  });

  test('of no majority is lost by nobody', () => {
    for (const text of ['x y', 'x x y y', 'x y z']) expect(vote(text)).toEqual([]);
  });
});

describe('replicas of points', () => {
  test('that hash every bucket alike are never told of, however far apart they are', async () => {
    const { watch, told, tell } = setUp('points', 'ab');
    await tell('a', '0@10 x, 1@20 y, 2@30 z');
    await tell('b', '');
    await tell('b', '0@10 x');
    await tell('b', '0@10 x, 1@20 y');
    await tell('a', '1@20 y, 2@30 z, 3@40 w');
    expect([told, watch.divergences]).toEqual([[], []]);
  });

  test('that differ in a bucket are told of once, with all hashes and the offset', async () => {
    const { clock, watch, told, tell } = setUp('points', 'abc');
    await tell('a', '7000@10 x, 8000@20 y');
    await tell('b', '7000@10 x, 8000@20 BAD');
    await tell('c', '7000@10 x, 8000@20 y');
    await tell('a', '7000@10 x, 8000@20 y, 9000@30 z');
    await tell('b', '7000@10 x, 8000@20 BAD, 9000@30 z');
    expect(told).toEqual(['found points/0 8000@20 a=y b=BAD']);
    expect(watch.divergences).toEqual([
      {
        ...{ topic: 'points', partition: 0, bucketMs: 8000, offset: 20 },
        hashes: [
          { process: 'a', offset: 20, hash: 'y' },
          { process: 'b', offset: 20, hash: 'BAD' },
          { process: 'c', offset: 20, hash: 'y' },
        ],
        foundMs: expect.closeTo(clock.wallMs(), -2),
      },
    ]);
  });

  test('that close a bucket at different offsets differ, even with equal points', async () => {
    const { told, tell } = setUp('points', 'ab');
    await tell('a', '7000@10 x');
    await tell('b', '7000@11 x');
    expect(told).toEqual(['found points/0 7000@10 a=x b=x']);
  });

  test('of which one has lost a whole bucket differ; one that has not come by it yet does not', async () => {
    const { told, tell, watch } = setUp('points', 'ab');
    await tell('a', '1@10 x, 2@20 y, 3@30 z');
    await tell('b', '1@10 x');
    expect(told).toEqual([]);
    await tell('b', '1@10 x, 3@30 z');
    expect(told).toEqual(['found points/0 2@20 a=y b=']);
    expect(watch.divergences[0].hashes[1]).toEqual({ process: 'b', offset: -1, hash: '' });
  });

  test('of which the wrong one was built anew agree again', async () => {
    const { watch, told, tell } = setUp('points', 'ab', { checkpoints: 2 });
    await tell('a', '1@10 x, 2@20 y');
    await tell('b', '1@10 BAD, 2@20 y');
    // The bucket is out of the newest two by now, and looked for all the same.
    await tell('a', '1@10 x, 2@20 y, 3@30 z, 4@40 w');
    await tell('b', '1@10 x');
    expect(told).toEqual(['found points/0 1@10 a=x b=BAD', 'ended points/0 1@10 a=x b=BAD']);
    expect(watch.divergences).toEqual([]);
  });

  test('are asked for hashes only when there is a new checkpoint, and again when asking failed', async () => {
    const { told, tell, failing, asked } = setUp('points', 'ab');
    await tell('a', '1@10 x');
    for (let i = 0; i < 5; i++) await tell('a', '1@10 x');
    expect(asked()).toBe(1);
    failing.add('b');
    for (let i = 0; i < 3; i++) await tell('b', '1@10 BAD');
    expect([asked(), told]).toEqual([4, []]);
    failing.delete('b');
    await tell('b', '1@10 BAD');
    expect(told).toHaveLength(1);
  });

  test('more than the limit are not kept; the first are', async () => {
    const { watch, told, tell } = setUp('points', 'ab', { divergences: 2 });
    await tell('a', '1@10 x, 2@20 y, 3@30 z');
    await tell('b', '1@10 X, 2@20 Y, 3@30 Z');
    expect(told).toHaveLength(2);
    expect(watch.divergences.map(({ bucketMs }) => bucketMs)).toEqual([1, 2]);
    await tell('b', '1@10 x, 2@20 Y, 3@30 Z, 4@40 w');
    // Room for the third, since the first has ended.
    expect(watch.divergences.map(({ bucketMs }) => bucketMs)).toEqual([2, 3]);
  });

  test('what a process has given up is not compared any more', async () => {
    const { told, tell, watch, processes, clock } = setUp('points', 'ab');
    await tell('a', '1@10 x');
    const process = processes.get('a');
    process?.answered([], clock.wallMs());
    if (process !== undefined) watch.look(process);
    await tell('b', '1@10 y');
    expect(told).toEqual([]);
  });
});

describe('replicas of tags', () => {
  test('are compared at checkpoints, and where they wait at the same offset', async () => {
    const { told, tell } = setUp('tags', 'ab');
    await tell('a', '', '7 x');
    await tell('b', '', '6 w');
    await tell('b', '', '7 x');
    expect(told).toEqual([]);
    await tell('b', '', '9 BAD');
    await tell('a', '', '9 y');
    expect(told).toEqual(['found tags/0 @9 a=y b=BAD']);
  });

  test('differ from one offset on, which is told once; and no more when they agree later', async () => {
    const { told, tell, watch, processes } = setUp('tags', 'ab');
    await tell('a', '256@256 x, 512@512 y, 768@768 z', '800 a');
    await tell('b', '256@256 x, 512@512 Y, 768@768 Z', '801 b');
    await tell('a', '256@256 x, 512@512 y, 768@768 z, 1024@1024 w', '1030 c');
    await tell('b', '256@256 x, 512@512 Y, 768@768 Z, 1024@1024 W', '1031 d');
    expect(told).toEqual(['found tags/0 @512 a=y b=Y']);
    expect(watch.divergences).toHaveLength(1);
    // It was away, and came back with the data of the other.
    processes.get('b')?.failed(new TidemarkError('unavailable', 'restarting'));
    await tell('b', '512@512 y, 768@768 z, 1024@1024 w', '1032 e');
    expect(told[1]).toBe('ended tags/0 @512 a=y b=Y');
    expect(watch.divergences).toEqual([]);
  });

  test('of which one differs differ for as long as it does, however much the others agree', async () => {
    const { told, tell, watch } = setUp('tags', 'abc');
    for (const [name, hash] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'BAD'],
    ]) {
      await tell(name, `256@256 ${hash}`, `300 ${hash}`);
    }
    for (let offset = 301; offset < 310; offset++)
      for (const name of 'ab') await tell(name, '256@256 x', `${offset} y`);
    // It was found where all of them stood; what they had kept says that it is older.
    expect(told).toEqual(['found tags/0 @300 a=x b=x c=BAD']);
    expect(watch.divergences.map(({ offset }) => offset)).toEqual([256]);
  });
});
