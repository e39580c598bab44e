import { describe, expect, test } from '@jest/globals';
import { inspectShare } from '@tidemark/columns';
import { type BlockRecord, RECORD } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';
import { ClientDictionary } from './client-dictionary.ts';
import { IntakeBench, shareOf } from './intake-bench.fixture.ts';
import { DEFAULT_LANE_TIMING, type LaneTiming } from './intake-limits.ts';
import { Lane } from './lane.ts';
import { RecordLimit } from './record-limit.ts';
import { TagPublisher } from './tag-publisher.ts';

const SERIES = { seriesId: Buffer.alloc(16, 1), metricId: Buffer.alloc(16, 2), seriesClass: 1 } as const;

interface LaneBench {
  readonly bench: IntakeBench;
  readonly lane: Lane;
  /** Reported deaths. */
  readonly deaths: string[];
  /** Reasons of stalls; undefined for the end of one. */
  readonly stalls: (string | undefined)[];
  /** Outcome of each share, in the order in which they were offered. */
  readonly settled: Map<number, boolean>;
  /** Offers a share with a point of a series, by default of the first one, and with tags of a day, by default none. */
  offer(ref?: number, day?: number): boolean;
  records(type?: number): Promise<BlockRecord[]>;
}

async function laneBench(
  timing: Partial<LaneTiming> = {},
  { recordBytes = 1 << 20, series = 1 } = {},
): Promise<LaneBench> {
  const bench = await IntakeBench.open();
  const deaths: string[] = [];
  const stalls: (string | undefined)[] = [];
  const settled = new Map<number, boolean>();
  const dictionary = new ClientDictionary(1, 0);
  for (let i = 0; i < series; i++) dictionary.add(SERIES, undefined);
  const lane = new Lane({
    ...{ log: bench.log, clock: bench.clock, acceptClock: bench.acceptClock, partition: 0, number: 5 },
    era: { offset: -1, startMs: 0 },
    session: Buffer.alloc(16, 8),
    markLimitMs: () => Number.POSITIVE_INFINITY,
    tags: new TagPublisher(bench.log, 0, bench.clock),
    timing: { ...DEFAULT_LANE_TIMING, ...timing },
    queueBytes: 1000,
    recordLimit: new RecordLimit(recordBytes),
    onAppended: () => undefined,
    onStalled: (_, reason) => stalls.push(reason),
    onDead: (_, reason) => deaths.push(reason),
  });
  lane.start();
  let offered = 0;
  return {
    ...{ bench, lane, deaths, stalls, settled },
    offer: (ref = 0, day) => {
      const number = offered++;
      const acceptMs = bench.acceptClock.nowMs();
      const share = shareOf([ref, acceptMs, number]);
      return lane.offer({
        ...{ acceptMs, dictionary, summary: inspectShare(share) },
        entries: day === undefined ? [] : [{ dictionary, ref, day }],
        span: {
          ...{ clientSession: Buffer.alloc(16, 9), sequence: number, mapEpoch: 1, floor: 0, frontierMs: undefined },
          ...{ tenant: 't', share },
        },
        settle: (durable) => settled.set(number, durable),
      });
    },
    records: async (type) => (await bench.points(0)).filter((record) => type === undefined || record.type === type),
  };
}

async function openLane(...options: Parameters<typeof laneBench>): Promise<LaneBench> {
  const one = await laneBench(...options);
  await one.bench.until(() => one.lane.isAccepting);
  return one;
}

const SHARE_BYTES = shareOf([0, 1_767_225_600_000, 1]).length;

describe('opening', () => {
  test('a lane accepts nothing before 2 s after the acknowledged open', async () => {
    const one = await laneBench();
    one.bench.unreachable.add('points/0');
    await one.bench.advance(4000);
    expect(one.offer()).toBe(false);
    one.bench.unreachable.clear();
    await one.bench.until(() => one.lane.state === 'open');
    await one.bench.advance(1990);
    expect(one.offer()).toBe(false);
    await one.bench.advance(20);
    expect(one.offer()).toBe(true);
    expect((await one.records()).map(({ type, sequence, lane }) => [type, sequence, lane])).toContainEqual([
      RECORD.open,
      0,
      5,
    ]);
  });
});

describe('blocks', () => {
  test('a block is appended once the oldest share has lingered', async () => {
    const one = await openLane({ markMs: 60_000 });
    one.offer();
    await one.bench.advance(200);
    one.offer();
    expect(await one.records(RECORD.block)).toHaveLength(0);
    await one.bench.advance(80);
    const [block] = await one.records(RECORD.block);
    expect(block.spans.map(({ sequence }) => sequence)).toEqual([0, 1]);
    expect([...one.settled]).toEqual([
      [0, true],
      [1, true],
    ]);
  });

  test('a block is appended at once when enough bytes wait, and stays within its limit', async () => {
    const one = await openLane({ markMs: 60_000, fillBytes: 3 * SHARE_BYTES, blockBytes: 2 * SHARE_BYTES });
    for (let i = 0; i < 3; i++) one.offer();
    await one.bench.until(() => one.settled.size === 2, 100);
    expect((await one.records(RECORD.block)).map(({ spans }) => spans.length)).toEqual([2]);
    await one.bench.until(() => one.settled.size === 3, 400);
  });

  test('a full queue accepts no more shares', async () => {
    const one = await openLane();
    one.bench.unreachable.add('points/0');
    let accepted = 0;
    while (one.offer()) accepted++;
    expect(accepted).toBe(Math.floor(1000 / SHARE_BYTES));
  });

  test('the memory of a block is given back once the log has it', async () => {
    const appended: Uint8Array[] = [];
    const one = await openLane();
    one.bench.onAppend = (topic, value) => {
      if (topic === 'points' && value[5] === RECORD.block) appended.push(value);
    };
    for (let i = 0; i < 30; i++) one.offer();
    await one.bench.until(() => one.settled.size === 30);
    expect(appended.map(({ length }) => length)).toEqual([0]);
  });

  test('only the first block of an epoch has definitions, and the next epoch has them again', async () => {
    const one = await openLane({ epochMs: 10_000 });
    for (let i = 0; i < 4; i++) {
      one.offer();
      await one.bench.advance(6000);
    }
    const blocks = await one.records(RECORD.block);
    expect(blocks.map(({ epoch, definitions }) => [epoch, definitions.length])).toEqual([
      [0, 1],
      [0, 0],
      [1, 1],
      [1, 0],
    ]);
    expect(blocks.map(({ keyframeOffset }) => keyframeOffset >= 0)).toEqual([false, true, false, true]);
  });
});

describe('definitions', () => {
  const sizes = async (one: LaneBench) =>
    (await one.records(RECORD.block)).map(({ epoch, definitions, spans }) => [
      epoch,
      definitions.reduce((sum, { series }) => sum + series.length, 0),
      spans.length,
    ]);

  test('those that fit no record with their share go ahead in blocks of their own, in each epoch', async () => {
    const one = await openLane({ epochMs: 10_000 }, { recordBytes: 2000, series: 300 });
    for (let i = 0; i < 2; i++) {
      one.offer(299);
      await one.bench.advance(11_000);
    }
    expect([...one.settled.values()]).toEqual([true, true]);
    const ofEpoch = (epoch: number) => [
      [epoch, 114, 0],
      [epoch, 114, 0],
      [epoch, 72, 1],
    ];
    expect(await sizes(one)).toEqual([...ofEpoch(0), ...ofEpoch(1)]);
    const [first, , third] = await one.records(RECORD.block);
    expect([first.keyframeOffset, third.keyframeOffset, third.points]).toEqual([-1, 3, 1]);
    expect((await one.records())[3]).toEqual(first);
    expect([first.minTimeMs, first.maxTimeMs, first.points]).toEqual([third.minTimeMs, third.maxTimeMs, 0]);
  });

  test('a mark of a block with definitions alone is not past the share that they are for', async () => {
    const one = await openLane({}, { recordBytes: 2000, series: 300 });
    const acceptMs = one.bench.acceptClock.nowMs();
    one.offer(299);
    await one.bench.advance(1000);
    const blocks = await one.records(RECORD.block);
    expect(blocks).toHaveLength(3);
    for (const { markMs } of blocks.slice(0, 2)) expect(markMs).toBeLessThanOrEqual(acceptMs);
    expect(blocks[2].markMs).toBeGreaterThan(acceptMs);
  });

  test('a dictionary in use that has more series than epochRefs is not defined again in each block', async () => {
    const one = await openLane({ epochRefs: 50 }, { series: 300 });
    for (let i = 0; i < 4; i++) {
      one.offer(299);
      await one.bench.advance(1000);
    }
    expect(await sizes(one)).toEqual([
      [0, 300, 1],
      [0, 0, 1],
      [0, 0, 1],
      [0, 0, 1],
    ]);
  });
});

describe('records that the log refuses', () => {
  test('a lane makes smaller blocks of what the log refused, and lives', async () => {
    const one = await openLane({ lingerMs: 500 }, { series: 300 });
    one.bench.refusedAboveBytes = 3000;
    for (let i = 0; i < 20; i++) one.offer(i * 15);
    await one.bench.advance(3000);
    expect([...one.settled.values()]).toEqual(new Array(20).fill(true));
    expect([one.lane.state, one.deaths]).toEqual(['open', []]);
  });
});

describe('marks', () => {
  test('an idle lane marks every second, with the time at which it does', async () => {
    const one = await openLane();
    await one.bench.advance(5000);
    const marks = (await one.records(RECORD.mark)).map(({ markMs }) => markMs).slice(-4);
    for (let i = 1; i < marks.length; i++) expect(marks[i] - marks[i - 1]).toBeGreaterThanOrEqual(1000);
    for (let i = 1; i < marks.length; i++) expect(marks[i] - marks[i - 1]).toBeLessThan(1020);
  });

  test("a mark covers queued shares but not the block's own ones, and marks never go back", async () => {
    const one = await openLane({ blockBytes: SHARE_BYTES, lingerMs: 300 });
    const acceptMs: number[] = [];
    for (let i = 0; i < 3; i++) {
      acceptMs.push(one.bench.acceptClock.nowMs());
      one.offer();
      await one.bench.advance(40);
    }
    await one.bench.until(() => one.settled.size === 3);
    const blocks = await one.records(RECORD.block);
    expect(blocks.slice(0, 2).map(({ markMs }) => markMs)).toEqual(acceptMs.slice(1));
    expect(blocks[2].markMs).toBeGreaterThan(acceptMs[2]);
    const marks = (await one.records()).map(({ markMs }) => markMs);
    expect(marks).toEqual([...marks].sort((a, b) => a - b));
  });
});

describe('the end', () => {
  test('a lane that cannot append for 15 s dies once, and answers all its shares', async () => {
    const one = await openLane();
    one.offer();
    one.bench.unreachable.add('points/0');
    await one.bench.advance(300);
    one.offer();
    await one.bench.advance(14_800);
    expect(one.lane.state).toBe('open');
    await one.bench.advance(1500);
    expect([one.lane.state, one.deaths.length]).toEqual(['dead', 1]);
    expect([...one.settled.values()]).toEqual([false, false]);
    expect(one.offer()).toBe(false);
  });

  test.each(['points/0', 'tags/0'])(
    'a full %s refuses shares at once, stores none of them, and ends no lane',
    async (part) => {
      const one = await openLane();
      one.bench.full.add(part);
      const day = part === 'tags/0' ? 20_000 : undefined;
      one.offer(0, day);
      await one.bench.until(() => one.settled.size === 1, 400);
      expect(one.lane.refusal).toMatchObject({
        reason: 'log_full',
        message: expect.stringMatching(/has used all .*retry/),
      });
      expect([one.lane.isStalled, one.lane.problem?.message]).toEqual([true, 'the log is full']);
      for (let i = 0; i < 600; i++) {
        await one.bench.advance(1000);
        one.offer(0, day);
      }
      await one.bench.advance(1000);
      expect(new Set(one.settled.values())).toEqual(new Set([false]));
      expect([one.lane.state, one.lane.queuedBytes, one.deaths]).toEqual(['open', 0, []]);
      // Not again with each record that fits: a small one may fit where a block does not.
      expect(one.stalls).toEqual(['the log is full']);

      one.bench.full.clear();
      await one.bench.until(() => one.offer(0, day), 2000);
      await one.bench.until(() => !one.lane.isStalled, 1000);
      expect([[...one.settled.values()].at(-1), one.stalls[1], one.lane.problem]).toEqual([true, undefined, undefined]);
      expect(await one.records(RECORD.block)).toHaveLength(1);
      const records = await one.records();
      expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, i) => i));
    },
  );

  test('an idle lane with a full log refuses shares, and is not stalled 10 s after the log has space again', async () => {
    const one = await openLane();
    one.bench.fullError = new TidemarkError('resource_exhausted', 'no space', { errno: 'ENOSPC', path: '/x/000' });
    one.bench.full.add('points/0');
    await one.bench.until(() => one.lane.isStalled, 2000);
    expect(one.offer()).toBe(false);
    const message = expect.stringMatching(/^points\/0: the disk of the log is full \(ENOSPC\), so (?!.*\/x)/);
    expect(one.lane.refusal).toMatchObject({ reason: 'log_full', message });
    one.bench.full.clear();
    await one.bench.until(() => one.lane.isAccepting, 2000);
    expect(one.lane.isStalled).toBe(true);
    await one.bench.until(() => !one.lane.isStalled, 12_000);
  });

  test.each(['points/0', 'tags/0'])('shares are refused at once while the folder of %s is moved', async (part) => {
    const one = await openLane();
    one.bench.moved.add(part);
    one.offer(0, part === 'tags/0' ? 20_000 : undefined);
    await one.bench.until(() => one.settled.size === 1, 2000);
    expect(one.settled.get(0)).toBe(false);
    expect(one.offer()).toBe(false);
    expect(one.lane.refusal).toMatchObject({ reason: 'log_unavailable', limit: 'the folder of the log in its place' });
    expect([one.lane.state, one.deaths]).toEqual(['open', []]);

    one.bench.moved.clear();
    await one.bench.until(() => one.offer(), 1000);
    await one.bench.until(() => [...one.settled.values()].includes(true), 2000);
    const records = await one.records();
    expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, i) => i));
  });

  test('an unknown outcome stays unknown, even if the log is full afterwards', async () => {
    const one = await openLane();
    one.bench.unreachable.add('points/0');
    one.offer();
    await one.bench.advance(1500);
    one.bench.full.add('points/0');
    one.bench.unreachable.clear();
    await one.bench.until(() => one.lane.state === 'dead', 16_000);
  });

  test.each(['full', 'unreachable'] as const)('close gives up after 5 s while the log is %s', async (how) => {
    const one = await openLane();
    one.offer();
    one.bench[how].add('points/0');
    await one.bench.advance(1500);
    const startMs = one.bench.clock.monotonicMs();
    await one.bench.play(one.lane.close());
    expect(one.bench.clock.monotonicMs() - startMs).toBeLessThan(5200);
    expect([one.lane.state, one.deaths.length]).toEqual(['dead', 1]);
    expect([...one.settled.values()]).toEqual([false]);
  });

  test('close appends what is queued, then close', async () => {
    const one = await openLane();
    one.offer();
    await one.bench.play(one.lane.close());
    const types = (await one.records()).map(({ type }) => type);
    expect(types.slice(-2)).toEqual([RECORD.block, RECORD.close]);
    expect([...one.settled.values()]).toEqual([true]);
    expect(one.deaths).toEqual([]);
  });

  test('an abandoned lane appends nothing more', async () => {
    const one = await openLane();
    // A mark is on its way when the lane has just begun to accept shares.
    await one.bench.advance(100);
    one.offer();
    one.lane.abandon('fenced');
    const before = (await one.records()).length;
    await one.bench.advance(5000);
    expect(await one.records()).toHaveLength(before);
    expect([...one.settled.values()]).toEqual([false]);
  });
});

describe('refusals', () => {
  test('an opening lane, a full queue, an unreachable log and an ended lane have their own reasons', async () => {
    const one = await laneBench();
    const opening = 'points/0: the intake is opening its lanes (limit: an open lane); retry';
    expect(one.lane.refusal).toMatchObject({ reason: 'lane_opening', field: 'lane', message: opening });
    await one.bench.until(() => one.lane.isAccepting);
    while (one.offer());
    expect(one.lane.refusal).toMatchObject({ reason: 'lane_queue_full', field: 'laneQueueBytes', limit: '1000 bytes' });

    one.bench.unreachable.add('points/0');
    const isUnreachable = {
      reason: 'log_unavailable',
      field: 'log',
      message: expect.stringMatching(
        /^points\/0: the log accepts nothing now: no append for \d+ ms \(limit: an append within 15000 ms\); retry$/,
      ),
    };
    await one.bench.advance(1000);
    expect(one.lane.refusal).toMatchObject(isUnreachable);
    await one.bench.until(() => one.lane.state === 'dead', 40_000);
    expect(one.lane.refusal).toMatchObject(isUnreachable);
    expect(one.deaths).toEqual([expect.stringMatching(/no append for 15000 ms: the log is unreachable/)]);
  });
});
