import { describe, expect, test } from '@jest/globals';
import type { ReplicaPosition } from '@tidemark/contract';
import { SystemClock } from '@tidemark/node-runtime';
import { TidemarkError, type Topic } from '@tidemark/ports';
import type { Consumer } from './consumer.ts';
import { ReplicaTrimmer } from './replica-trimmer.ts';

const LOG_ID = 'the topic that there is';
const END = 100;
const BROKEN = 7;
const EVENTS = { info: () => undefined, error: () => undefined };

interface Store {
  readonly consumer: Consumer;
  /** Offsets by partition up to which it has tables; undefined: it does not answer. */
  tabled: Readonly<Record<number, number>> | undefined;
  logId: string | undefined;
  halted: string;
}

function store(topic: Topic, partitions: readonly number[], tabled: Store['tabled']): Store {
  const it: Store = {
    tabled,
    logId: LOG_ID,
    halted: '',
    consumer: {
      topic,
      address: 'a:1',
      partitions,
      reader: {
        positions: async () => {
          if (it.tabled === undefined) throw new TidemarkError('unavailable', 'connection refused');
          const positions = Object.entries(it.tabled).map(([partition, trimOffset]): ReplicaPosition => {
            const offset = trimOffset + 5;
            const place = { offset, committedOffset: offset - 1, trimOffset, logNext: offset };
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

describe('trimming the log', () => {
  test('the log is trimmed below the offset that every replica has committed, topic by topic', async () => {
    const points = store('points', [0, 1], { 0: 10, 1: 20 });
    const { trimmed, it } = trimmer([points, store('points', [0, 1], { 0: 7, 1: 30 }), store('tags', [0], { 0: 3 })]);
    await it.turn();
    expect(trimmed.sort()).toEqual(['points/0 7', 'points/1 20', 'tags/0 3']);
    points.tabled = { 0: 50, 1: 25 };
    await it.turn();
    expect(trimmed.slice(3)).toEqual(['points/1 25']);
  });

  test('the log keeps the records of a replica that is unreachable or has not opened the partition', async () => {
    const unreachable = store('points', [0], undefined);
    const { trimmed, it } = trimmer([store('points', [0, 1], { 0: 10, 1: 10 }), unreachable, store('points', [1], {})]);
    await it.turn();
    expect(trimmed).toEqual([]);
    unreachable.tabled = { 0: 9 };
    await it.turn();
    expect(trimmed).toEqual(['points/0 9']);
  });

  test('the log is not trimmed by offsets of another log, because a recreated topic would lose unread records', async () => {
    const old = store('points', [0], { 0: 50 });
    old.logId = 'a topic that was deleted';
    const { trimmed, it } = trimmer([old, store('points', [0, 1], { 0: 60, 1: END + 1 })]);
    await it.turn();
    expect(trimmed).toEqual([]);
    expect(it.problem).toMatch(
      /^points\/0: the log is not trimmed: .* 50, of another log.*; points\/1: .* 101, beyond the end of the log/,
    );
    // A consumer that does not know yet which log it reads does not trim either.
    old.logId = undefined;
    await it.turn();
    expect(trimmed).toEqual([]);
    // A consumer whose log is lost does not trim either, although it has the id of the old log.
    old.logId = LOG_ID;
    old.halted = 'the topic was deleted and recreated';
    await it.turn();
    expect(trimmed).toEqual([]);
    old.halted = '';
    await it.turn();
    expect(trimmed).toEqual(['points/0 50']);
  });

  test('a partition that can be trimmed is trimmed, even if another one cannot', async () => {
    const { trimmed, it } = trimmer([store('points', [BROKEN, 1], { [BROKEN]: 10, 1: 10 })]);
    await it.turn();
    expect(trimmed).toEqual(['points/1 10']);
    expect(it.problem).toBe('points/7: no leader');
  });
});
