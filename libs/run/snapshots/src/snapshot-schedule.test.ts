import { describe, expect, test } from '@jest/globals';
import { sleep, TidemarkError } from '@tidemark/ports';
import { SeededRandom, SimulatedClock } from '@tidemark/simulation';
import type { SnapshotPlace } from '@tidemark/snapshot';
import { NOT_COPIED, type StoreCheckpoint } from '@tidemark/store-workers';
import { DATABASE_DAMAGED, type MadeSnapshot, type SnapshotTask } from './snapshot-messages.ts';
import { SnapshotSchedule } from './snapshot-schedule.ts';

const HOUR_MS = 3_600_000;
const PLACES: readonly SnapshotPlace[] = [
  { kind: 'points', partition: 0 },
  { kind: 'tags', partition: 0 },
];

function setUp(intervalMs = HOUR_MS) {
  const clock = new SimulatedClock();
  const seen = {
    /** Offset of each store. */
    offsets: { points: 10, tags: 20, aggregator: 0 },
    made: [] as string[],
    /** Snapshots of which the stores were informed. */
    noted: [] as string[],
    /** Damage of which the stores were informed. */
    damaged: [] as string[],
    /** Folders that exist, and most of them at one time. */
    folders: new Set<string>(),
    mostFolders: 0,
    problems: new Map<string, string>(),
    closes: 0,
    isUrgent: false,
    /** The object store does not answer. */
    isAway: false,
    /** Why a store makes no copy. */
    refusal: undefined as TidemarkError | undefined,
    /** Stores whose snapshot lets the log be trimmed. */
    frees: new Set(['points']),
    /** Called for each snapshot. */
    during: async (_task: SnapshotTask, _signal: AbortSignal | undefined): Promise<void> => undefined,
  };
  const made: MadeSnapshot = {
    ...{ id: '1', createdMs: 0, uploadedBytes: 100, reusedBytes: 0, damaged: [], retentionError: undefined },
  };
  const schedule = new SnapshotSchedule(
    {
      stores: {
        checkpoint: async (kind, _partition, to): Promise<StoreCheckpoint> => {
          if (seen.refusal !== undefined) throw seen.refusal;
          seen.folders.add(to);
          seen.mostFolders = Math.max(seen.mostFolders, seen.folders.size);
          const files = [{ name: '000001.sst', bytes: 100, isTable: true }];
          const facts = {
            format: 9,
            logId: 'log',
            watermarkMs: undefined,
            instance: 'one',
            freesLog: seen.frees.has(kind),
          };
          return { files, ...facts, offset: seen.offsets[kind] };
        },
        damageFound: (kind, partition, { instance }, message) =>
          void seen.damaged.push(`${kind}/${partition} of ${instance}: ${message}`),
        snapshotMade: (kind, partition, { offset }) => void seen.noted.push(`${kind}/${partition} at ${offset}`),
      },
      thread: {
        make: async (task, { signal }) => {
          await seen.during(task, signal);
          seen.made.push(`${task.of.kind}/${task.of.partition} at ${task.facts.offset}`);
          return made;
        },
        check: async () => {
          if (seen.isAway) throw new TidemarkError('unavailable', 'connection refused');
        },
        close: async () => void seen.closes++,
      },
      places: PLACES,
      disk: {
        remove: async (path) => {
          for (const folder of seen.folders) if (folder.startsWith(`/data/${path}`)) seen.folders.delete(folder);
        },
      },
      pathOf: (path) => `/data/${path}`,
      isUrgent: () => seen.isUrgent,
      clock,
      random: new SeededRandom(1),
      health: {
        report: (_kind, part, cause) => {
          if (cause === undefined) seen.problems.delete(part);
          else seen.problems.set(part, cause.message);
        },
      },
      events: { info: () => undefined, error: () => undefined, fatal: () => undefined },
    },
    { intervalMs, keep: 2, keepMs: HOUR_MS },
  );
  return { schedule, clock, seen };
}

describe('the schedule of snapshots', () => {
  test('makes one of each store soon after the start, and then at each interval, where something was committed', async () => {
    const { schedule, clock, seen } = setUp();
    schedule.start();
    await clock.advance(0.08 * HOUR_MS);
    expect(seen.made).toEqual([]);
    await clock.advance(0.04 * HOUR_MS);
    expect(seen.made).toEqual(['points/0 at 10', 'tags/0 at 20']);
    expect(seen.noted).toEqual(seen.made);
    seen.offsets.points = 11;
    await clock.advance(0.88 * HOUR_MS);
    expect(seen.made).toHaveLength(2);
    await clock.advance(0.4 * HOUR_MS);
    expect(seen.made.slice(2)).toEqual(['points/0 at 11']);
    expect(seen).toMatchObject({ folders: new Set(), mostFolders: 1, closes: 0 });
    await schedule.stop();
    expect(seen.closes).toBe(1);
    await clock.advance(5 * HOUR_MS);
    expect(seen.made).toHaveLength(3);
  });

  test('one that fails is a problem of its store until the next one succeeds, and others are made', async () => {
    const { schedule, clock, seen } = setUp();
    schedule.start();
    seen.during = async ({ of }) => {
      if (of.kind === 'points') throw new TidemarkError('unavailable', 'no answer');
    };
    await clock.advance(0.2 * HOUR_MS);
    expect(seen.made).toEqual(['tags/0 at 20']);
    expect(seen.noted).toEqual(seen.made);
    expect([...seen.problems]).toEqual([['points/0', 'no answer']]);
    expect(seen.folders).toEqual(new Set());
    seen.during = async () => undefined;
    await clock.advance(1.2 * HOUR_MS);
    expect(seen.made).toEqual(['tags/0 at 20', 'points/0 at 10']);
    expect([...seen.problems]).toEqual([]);
    await schedule.stop();
  });

  test('damage that it finds in a copy is that of the store, and damage of an object is not', async () => {
    const { schedule, clock, seen } = setUp();
    schedule.start();
    seen.during = async ({ of }) => {
      throw new TidemarkError('data_loss', 'a wrong checksum', { [DATABASE_DAMAGED]: of.kind === 'points' });
    };
    await clock.advance(0.2 * HOUR_MS);
    expect(seen.damaged).toEqual(['points/0 of one: a wrong checksum']);
    expect([...seen.problems.keys()]).toEqual(['points/0', 'tags/0']);
    await schedule.stop();
  });

  test('an object store that does not answer is a problem from the start, until it does', async () => {
    const { schedule, clock, seen } = setUp();
    seen.isAway = true;
    schedule.start();
    await clock.advance(1);
    expect([...seen.problems]).toEqual([['any store', 'connection refused']]);
    seen.isAway = false;
    await clock.advance(0.2 * HOUR_MS);
    expect([...seen.problems]).toEqual([]);
    expect(seen.made).toHaveLength(2);
    await schedule.stop();
  });

  test('a snapshot on request ends the problem of the object store', async () => {
    const { schedule, clock, seen } = setUp(0);
    seen.isAway = true;
    schedule.start();
    await clock.advance(1);
    expect([...seen.problems.keys()]).toEqual(['any store']);
    await schedule.make(PLACES[0]);
    expect([...seen.problems]).toEqual([]);
    await schedule.stop();
  });

  test('a store that is halted or damaged reports that itself', async () => {
    const { schedule, clock, seen } = setUp();
    seen.refusal = new TidemarkError('failed_precondition', 'points/0 is halted', { [NOT_COPIED]: true });
    schedule.start();
    await clock.advance(0.2 * HOUR_MS);
    expect([seen.made, [...seen.problems]]).toEqual([[], []]);
    await schedule.stop();
  });

  test('a store that an urgent round passes over keeps its problem', async () => {
    const { schedule, clock, seen } = setUp();
    schedule.start();
    seen.during = async () => {
      throw new TidemarkError('unavailable', 'no answer');
    };
    await clock.advance(0.2 * HOUR_MS);
    seen.isUrgent = true;
    await clock.advance(0.1 * HOUR_MS);
    expect([...seen.problems.keys()]).toEqual(['points/0', 'tags/0']);
    await schedule.stop();
  });

  test('makes one each minute of the stores that hold the log while it is near to its limit, and of all at the interval', async () => {
    const { schedule, clock, seen } = setUp();
    schedule.start();
    seen.isUrgent = true;
    await clock.advance(55_000);
    expect(seen.made).toEqual([]);
    await clock.advance(10_000);
    // Names of series are sent with the points that need them.
    expect(seen.made).toEqual(['points/0 at 10', 'tags/0 at 20']);
    seen.offsets.points = 11;
    await clock.advance(60_000);
    seen.isUrgent = false;
    seen.offsets.points = 12;
    expect(seen.made.slice(2)).toEqual(['points/0 at 11']);
    await clock.advance(0.2 * HOUR_MS);
    expect(seen.made.slice(3)).toEqual(['points/0 at 12']);
    await schedule.stop();
  });

  test('removes the copies of a run that was killed, also where none are made', async () => {
    const { schedule, clock, seen } = setUp(0);
    seen.folders.add('/data/checkpoints/points-7');
    schedule.start();
    await clock.advance(10 * HOUR_MS);
    expect([seen.folders.size, seen.made]).toEqual([0, []]);
    await schedule.stop();
  });

  test('makes one of a store without a record, and reuses the files of its own last one', async () => {
    const { schedule, clock, seen } = setUp();
    const bases: (string | undefined)[] = [];
    seen.during = async ({ of, base }) => {
      if (of.kind === 'points') bases.push(base);
    };
    seen.offsets.tags = 0;
    schedule.start();
    await clock.advance(0.2 * HOUR_MS);
    seen.offsets.points = 11;
    await clock.advance(1.2 * HOUR_MS);
    expect(seen.made).toEqual(['points/0 at 10', 'tags/0 at 0', 'points/0 at 11']);
    expect(bases).toEqual([undefined, '1']);
    await schedule.stop();
  });

  test('one on request is made also where nothing has changed, and waits for its turn', async () => {
    const { schedule, clock, seen } = setUp();
    let running = 0;
    seen.during = async () => {
      expect(++running).toBe(1);
      await sleep(clock, 1000);
      running--;
    };
    const asked = Promise.all([...PLACES, ...PLACES].map((place) => schedule.make(place)));
    await clock.advance(5000);
    expect((await asked).map(({ of }) => of.kind)).toEqual(['points', 'tags', 'points', 'tags']);
    expect(seen.mostFolders).toBe(1);
    await expect(schedule.make({ kind: 'points', partition: 7 })).rejects.toMatchObject({
      ...{ code: 'not_found', message: 'points/7 belongs to another process' },
    });
  });

  test('one on request begins and ends the problem of its store, and none when its caller cancels', async () => {
    const { schedule, clock, seen } = setUp();
    seen.during = async () => {
      throw new TidemarkError('unavailable', 'no answer');
    };
    await expect(schedule.make(PLACES[0])).rejects.toMatchObject({ message: 'no answer' });
    await expect(schedule.make(PLACES[1])).rejects.toMatchObject({ message: 'no answer' });
    expect([...seen.problems.keys()]).toEqual(['points/0', 'tags/0']);
    seen.during = async () => undefined;
    await schedule.make(PLACES[0]);
    expect([...seen.problems.keys()]).toEqual(['tags/0']);
    seen.during = (_task, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const abort = new AbortController();
    const made = expect(schedule.make(PLACES[0], { signal: abort.signal })).rejects.toThrow('enough');
    await clock.advance(1);
    abort.abort(new Error('enough'));
    await made;
    expect([...seen.problems.keys()]).toEqual(['tags/0']);
    expect(seen.folders).toEqual(new Set());
  });

  test('one on request that fails where nothing has changed is tried again by the rounds, until one succeeds', async () => {
    const { schedule, clock, seen } = setUp();
    schedule.start();
    await clock.advance(0.2 * HOUR_MS);
    expect(seen.made).toEqual(['points/0 at 10', 'tags/0 at 20']);
    seen.during = async () => {
      throw new TidemarkError('unavailable', 'no answer');
    };
    await expect(schedule.make(PLACES[0])).rejects.toMatchObject({ message: 'no answer' });
    await clock.advance(1.2 * HOUR_MS);
    expect([...seen.problems]).toEqual([['points/0', 'no answer']]);
    seen.during = async () => undefined;
    await clock.advance(1.2 * HOUR_MS);
    expect(seen.made.slice(2)).toEqual(['points/0 at 10']);
    expect([...seen.problems]).toEqual([]);
    await clock.advance(1.2 * HOUR_MS);
    expect(seen.made).toHaveLength(3);
    await schedule.stop();
  });

  test('one on request that fails begins no problem where none are made at intervals: nothing would end it', async () => {
    const { schedule, seen } = setUp(0);
    seen.during = async () => {
      throw new TidemarkError('unavailable', 'no answer');
    };
    await expect(schedule.make(PLACES[0])).rejects.toMatchObject({ message: 'no answer' });
    expect([...seen.problems]).toEqual([]);
  });

  test('a stop ends the snapshot in progress, of a round and on request, and leaves no folder', async () => {
    const { schedule, clock, seen } = setUp();
    seen.during = (_task, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    schedule.start();
    await clock.advance(0.2 * HOUR_MS);
    const waiting = schedule.make(PLACES[1]);
    const ended = expect(waiting).rejects.toMatchObject({ code: 'cancelled', message: 'the process stops' });
    await schedule.stop();
    await ended;
    expect(seen).toMatchObject({ made: [], folders: new Set(), problems: new Map() });
  });

  test('a stop waits for the end of a snapshot on request', async () => {
    const { schedule, clock, seen } = setUp();
    seen.during = (_task, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    const made = expect(schedule.make(PLACES[0])).rejects.toMatchObject({ code: 'cancelled' });
    await clock.advance(1);
    expect(seen.folders.size).toBe(1);
    await schedule.stop();
    expect(seen.folders.size).toBe(0);
    await made;
  });
});
