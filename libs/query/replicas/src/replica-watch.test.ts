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

/** Replicas by name, each with the checkpoints that it reports. */
function setUp(topic: 'points' | 'tags', names: string, limits: Partial<ReplicaLimits> = {}) {
  const clock = new SimulatedClock();
  const events: string[] = [];
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
      if (failing.has(name)) throw new TidemarkError('unavailable', 'connection refused');
      return stored.get(`${name}/${partition}`) ?? [];
    },
    onDivergence: (event, { topic: of, partition, bucketMs, offset, hashes }: ReplicaDivergence) => {
      const all = hashes.map(({ process, hash }) => `${process}=${hash}`).join(' ');
      events.push(`${event} ${of}/${partition} ${bucketMs ?? ''}@${offset} ${all}`);
    },
  });
  /** Reports a replica's checkpoints, as `key@offset hash` or `key@offset hash era`, and, of tags, its current state. */
  const report = async (name: string, checkpoints: string, now = '', partition = 0) => {
    const list = checkpoints
      .split(',')
      .filter((one) => one !== '')
      .map((one): ReplicaCheckpoint => {
        const [key, offset, hash, era] = one.trim().split(/[@ ]/);
        return { key: Number(key), offset: Number(offset), hash, era: era === undefined ? undefined : Number(era) };
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
    if (process !== undefined) watch.check(process);
    await clock.advance(1);
  };
  return { clock, watch, events, report, failing, processes, asked: () => asked };
}

describe('a vote', () => {
  const vote = (text: string) =>
    outvoted(text.split(' ').map((hash, i) => ({ process: 'abcd'[i], offset: hash === '-' ? -1 : 7, hash })));

  test('replicas that more than half of all contradict are outvoted', () => {
    expect(vote('x x y')).toEqual(['c']);
    expect(vote('- x x')).toEqual(['a']);
    expect(vote('x y x x')).toEqual(['b']);
  });

  test('no replica is outvoted without a majority', () => {
    for (const text of ['x y', 'x x y y', 'x y z']) expect(vote(text)).toEqual([]);
  });
});

describe('replicas of points', () => {
  test('replicas with equal hashes of every bucket are never reported, at any distance', async () => {
    const { watch, events, report } = setUp('points', 'ab');
    await report('a', '0@10 x, 1@20 y, 2@30 z');
    await report('b', '');
    await report('b', '0@10 x');
    await report('b', '0@10 x, 1@20 y');
    await report('a', '1@20 y, 2@30 z, 3@40 w');
    expect([events, watch.divergences]).toEqual([[], []]);
  });

  test('replicas that differ in a bucket are reported once, with all hashes and the offset', async () => {
    const { clock, watch, events, report } = setUp('points', 'abc');
    await report('a', '7000@10 x, 8000@20 y');
    await report('b', '7000@10 x, 8000@20 BAD');
    await report('c', '7000@10 x, 8000@20 y');
    await report('a', '7000@10 x, 8000@20 y, 9000@30 z');
    await report('b', '7000@10 x, 8000@20 BAD, 9000@30 z');
    expect(events).toEqual(['found points/0 8000@20 a=y b=BAD']);
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

  test('replicas that close a bucket at different offsets differ, even with equal points', async () => {
    const { events, report } = setUp('points', 'ab');
    await report('a', '7000@10 x');
    await report('b', '7000@11 x');
    expect(events).toEqual(['found points/0 7000@10 a=x b=x']);
  });

  test('a bucket that closed again in a new era is not compared with replicas that have not read so far', async () => {
    const { events, report } = setUp('points', 'ab');
    await report('a', '7000@10 x');
    await report('b', '7000@10 x');
    await report('a', '7000@20 y 15');
    expect(events).toEqual([]);
    await report('b', '7000@20 z 15');
    expect(events).toEqual(['found points/0 7000@20 a=y b=z']);
  });

  test('a replica that has lost a whole bucket differs, and one that has not passed it yet does not', async () => {
    const { events, report, watch } = setUp('points', 'ab');
    await report('a', '1@10 x, 2@20 y, 3@30 z');
    await report('b', '1@10 x');
    expect(events).toEqual([]);
    await report('b', '1@10 x, 3@30 z');
    expect(events).toEqual(['found points/0 2@20 a=y b=']);
    expect(watch.divergences[0].hashes[1]).toEqual({ process: 'b', offset: -1, hash: '' });
  });

  test('replicas agree again after the wrong one was rebuilt', async () => {
    const { watch, events, report } = setUp('points', 'ab', { checkpoints: 2 });
    await report('a', '1@10 x, 2@20 y');
    await report('b', '1@10 BAD, 2@20 y');
    // The bucket is no longer among the newest two, and is still compared.
    await report('a', '1@10 x, 2@20 y, 3@30 z, 4@40 w');
    await report('b', '1@10 x');
    expect(events).toEqual(['found points/0 1@10 a=x b=BAD', 'ended points/0 1@10 a=x b=BAD']);
    expect(watch.divergences).toEqual([]);
  });

  test('hashes are requested only when there is a new checkpoint, and again after a failed request', async () => {
    const { events, report, failing, asked } = setUp('points', 'ab');
    await report('a', '1@10 x');
    for (let i = 0; i < 5; i++) await report('a', '1@10 x');
    expect(asked()).toBe(1);
    failing.add('b');
    for (let i = 0; i < 3; i++) await report('b', '1@10 BAD');
    expect([asked(), events]).toEqual([4, []]);
    failing.delete('b');
    await report('b', '1@10 BAD');
    expect(events).toHaveLength(1);
  });

  test('the first differences are kept, up to the limit', async () => {
    const { watch, events, report } = setUp('points', 'ab', { divergences: 2 });
    await report('a', '1@10 x, 2@20 y, 3@30 z');
    await report('b', '1@10 X, 2@20 Y, 3@30 Z');
    expect(events).toHaveLength(2);
    expect(watch.divergences.map(({ bucketMs }) => bucketMs)).toEqual([1, 2]);
    await report('b', '1@10 x, 2@20 Y, 3@30 Z, 4@40 w');
    // There is room for the third, because the first has ended.
    expect(watch.divergences.map(({ bucketMs }) => bucketMs)).toEqual([2, 3]);
  });

  test('a partition that a process has released is not compared any more', async () => {
    const { events, report, watch, processes, clock } = setUp('points', 'ab');
    await report('a', '1@10 x');
    const process = processes.get('a');
    process?.answered([], clock.wallMs());
    if (process !== undefined) watch.check(process);
    await report('b', '1@10 y');
    expect(events).toEqual([]);
  });
});

describe('replicas of tags', () => {
  test('replicas are compared at checkpoints, and where they wait at the same offset', async () => {
    const { events, report } = setUp('tags', 'ab');
    await report('a', '', '7 x');
    await report('b', '', '6 w');
    await report('b', '', '7 x');
    expect(events).toEqual([]);
    await report('b', '', '9 BAD');
    await report('a', '', '9 y');
    expect(events).toEqual(['found tags/0 @9 a=y b=BAD']);
  });

  test('a difference is reported once with its first offset, and ends when the replicas agree later', async () => {
    const { events, report, watch, processes } = setUp('tags', 'ab');
    await report('a', '256@256 x, 512@512 y, 768@768 z', '800 a');
    await report('b', '256@256 x, 512@512 Y, 768@768 Z', '801 b');
    await report('a', '256@256 x, 512@512 y, 768@768 z, 1024@1024 w', '1030 c');
    await report('b', '256@256 x, 512@512 Y, 768@768 Z, 1024@1024 W', '1031 d');
    expect(events).toEqual(['found tags/0 @512 a=y b=Y']);
    expect(watch.divergences).toHaveLength(1);
    // It was lost, and returned with the data of the other.
    processes.get('b')?.failed(new TidemarkError('unavailable', 'restarting'));
    await report('b', '512@512 y, 768@768 z, 1024@1024 w', '1032 e');
    expect(events[1]).toBe('ended tags/0 @512 a=y b=Y');
    expect(watch.divergences).toEqual([]);
  });

  test('a difference lasts while one replica differs, even if the others agree', async () => {
    const { events, report, watch } = setUp('tags', 'abc');
    for (const [name, hash] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'BAD'],
    ]) {
      await report(name, `256@256 ${hash}`, `300 ${hash}`);
    }
    for (let offset = 301; offset < 310; offset++)
      for (const name of 'ab') await report(name, '256@256 x', `${offset} y`);
    // It was found at the current offset of all replicas; their older checkpoints show that it is older.
    expect(events).toEqual(['found tags/0 @300 a=x b=x c=BAD']);
    expect(watch.divergences.map(({ offset }) => offset)).toEqual([256]);
  });
});
