import { describe, expect, test } from '@jest/globals';
import type { ReplicaPosition } from '@tidemark/contract';
import { SystemClock } from '@tidemark/node-runtime';
import { TidemarkError, type Topic } from '@tidemark/ports';
import { type Consumer, ReplicaTrimmer } from './replica-trimmer.ts';

const LOG_ID = 'the topic that there is';
const END = 100;
const BROKEN = 7;
const EVENTS = { info: () => undefined, error: () => undefined };

interface Store {
  readonly consumer: Consumer;
  /** Committed offsets by partition; undefined: it does not answer. */
  committed: Readonly<Record<number, number>> | undefined;
  logId: string | undefined;
  halted: string;
}

function store(topic: Topic, partitions: readonly number[], committed: Store['committed']): Store {
  const it: Store = {
    committed,
    logId: LOG_ID,
    halted: '',
    consumer: {
      topic,
      address: 'a:1',
      partitions,
      reader: {
        positions: async () => {
          if (it.committed === undefined) throw new TidemarkError('unavailable', 'away');
          const positions = Object.entries(it.committed).map(([partition, committedOffset]): ReplicaPosition => {
            const offset = committedOffset + 5;
            const place = { offset, committedOffset, logNext: offset, watermarkMs: undefined };
            return {
              partition: Number(partition),
              ...place,
              logId: it.logId,
              halted: it.halted,
              haltedOffset: -1,
              problem: '',
            };
          });
          return { positions };
        },
      },
    },
  };
  return it;
}

function trimmer(stores: readonly Store[]) {
  const trimmed: string[] = [];
  const log = {
    bounds: async () => ({ first: 0, next: END, id: LOG_ID }),
    trim: async (topic: Topic, partition: number, before: number) => {
      if (topic === 'points' && partition === BROKEN) throw new TidemarkError('unavailable', 'no leader');
      trimmed.push(`${topic}/${partition} ${before}`);
    },
  };
  const consumers = stores.map(({ consumer }) => consumer);
  return { trimmed, it: new ReplicaTrimmer({ log, clock: new SystemClock(), events: EVENTS, consumers }) };
}

describe('the log is trimmed', () => {
  test('below what every replica has committed, topic by topic', async () => {
    const points = store('points', [0, 1], { 0: 10, 1: 20 });
    const { trimmed, it } = trimmer([points, store('points', [0, 1], { 0: 7, 1: 30 }), store('tags', [0], { 0: 3 })]);
    await it.turn();
    expect(trimmed.sort()).toEqual(['points/0 7', 'points/1 20', 'tags/0 3']);
    points.committed = { 0: 50, 1: 25 };
    await it.turn();
    expect(trimmed.slice(3)).toEqual(['points/1 25']);
  });

  test('never below what a replica that is away, or has not opened the partition, may need', async () => {
    const away = store('points', [0], undefined);
    const { trimmed, it } = trimmer([store('points', [0, 1], { 0: 10, 1: 10 }), away, store('points', [1], {})]);
    await it.turn();
    expect(trimmed).toEqual([]);
    away.committed = { 0: 9 };
    await it.turn();
    expect(trimmed).toEqual(['points/0 9']);
  });

  test('never by offsets of another log: a topic that was made anew would lose what nobody has read', async () => {
    const old = store('points', [0], { 0: 50 });
    old.logId = 'a topic that was deleted';
    const { trimmed, it } = trimmer([old, store('points', [0, 1], { 0: 60, 1: END + 1 })]);
    await it.turn();
    expect(trimmed).toEqual([]);
    expect(it.problem).toMatch(
      /^points\/0: the log is kept: .* 50, of another log.*; points\/1: .* 101, beyond its end/,
    );
    // Neither does one that has not found out yet which log it reads.
    old.logId = undefined;
    await it.turn();
    expect(trimmed).toEqual([]);
    // Nor one whose log is lost, whatever it knew before.
    old.logId = LOG_ID;
    old.halted = 'the topic was deleted and made anew';
    await it.turn();
    expect(trimmed).toEqual([]);
    old.halted = '';
    await it.turn();
    expect(trimmed).toEqual(['points/0 50']);
  });

  test('where it can be, whatever becomes of another partition', async () => {
    const { trimmed, it } = trimmer([store('points', [BROKEN, 1], { [BROKEN]: 10, 1: 10 })]);
    await it.turn();
    expect(trimmed).toEqual(['points/1 10']);
    expect(it.problem).toBe('points/7: no leader');
  });
});
