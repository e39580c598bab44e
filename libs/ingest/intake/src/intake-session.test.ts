import { describe, expect, test } from '@jest/globals';
import { decodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { BatchResult_Outcome, type Checkpoint, type StatedMetric } from '@tidemark/contract';
import { ControlFollower, type ControlMessage } from '@tidemark/control-log';
import { DEFAULT_POINT_LIMITS, evenMap, KIND, packSlots } from '@tidemark/model';
import { RECORD } from '@tidemark/point-records';
import { isTidemarkError } from '@tidemark/ports';
import { BenchClient, IntakeBench, metricIn, PARTITIONS, shareOf, TENANT } from './intake-bench.fixture.ts';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from './intake-limits.ts';
import type { IntakeOptions, IntakeSession } from './intake-session.ts';
import { openStream } from './open-streams.ts';

interface Started {
  readonly bench: IntakeBench;
  readonly session: IntakeSession;
  readonly client: BenchClient;
}

async function started(options: Partial<IntakeOptions> = {}): Promise<Started> {
  const bench = await IntakeBench.open();
  const session = await bench.session(options);
  await bench.until(() => session.isReady);
  const client = new BenchClient(bench, session);
  await client.hello();
  return { bench, session, client };
}

function gauge(partition: number, tags: string[] = []) {
  return { metric: metricIn(partition), kind: 1 as const, tags };
}

function renewals(messages: readonly ControlMessage[]) {
  return messages.flatMap((message) => (message.$case === 'renewed' ? [message.value] : []));
}

describe('a session', () => {
  test('a session registers, opens a lane in every partition, and ends by close', async () => {
    const { bench, session } = await started();
    await bench.play(session.close());
    const kinds = (await bench.control()).map(({ $case }) => $case);
    expect(kinds.filter((kind) => kind === 'registered' || kind === 'ended')).toEqual(['registered', 'ended']);
    for (const partition of [0, 1]) {
      const types = (await bench.points(partition)).map(({ type }) => type);
      expect([types[0], types.at(-1)]).toEqual([RECORD.open, RECORD.close]);
    }
  });

  test('a session greets with D of the tenant, and without it where the intake has none', async () => {
    const { client } = await started({ latenessMs: (tenant) => (tenant === TENANT ? 3000 : 1) });
    expect(client.replies).toMatchObject([{ $case: 'greeting', value: { tenant: TENANT, latenessMs: 3000 } }]);
    const without = await started();
    const newestMs = without.bench.acceptClock.nowMs() + DEFAULT_POINT_LIMITS.aheadMs;
    expect(without.client.replies[0].value).toMatchObject({ latenessMs: undefined, newestMs });
  });

  test('a session names a dead lane until it is fenced, and opens another in its place', async () => {
    const { bench, session, client } = await started();
    bench.unreachable.add('points/0');
    await bench.advance(17_000);
    bench.unreachable.clear();
    await bench.advance(3000);
    const dead = renewals(await bench.control()).at(-1)?.deadLanes ?? [];
    expect(dead).toEqual([{ partition: 0, lane: expect.any(Number) }]);
    const value = { term: 1, session: Buffer.from(session.session), lane: dead[0], reason: 'dead' };
    await bench.decide({ $case: 'fence', value });
    await bench.advance(2500);
    expect(renewals(await bench.control()).at(-1)?.deadLanes).toEqual([]);
    await bench.until(() => session.isReady);
    await client.define(0, 0, [gauge(0)]);
    const sequence = await client.batch([{ partition: 0, points: shareOf([0, bench.acceptClock.nowMs(), 1]) }]);
    expect((await client.answered(sequence)).outcome).toBe(BatchResult_Outcome.ACKED);
    expect((await bench.points(0)).at(-1)?.lane).not.toBe(dead[0].lane);
  });

  test('a lane that cannot append a block ends, also when its tags were stored just before', async () => {
    const ended: string[] = [];
    const { bench, client } = await started({
      onLaneEnded: (partition, reason) => ended.push(`${partition}: ${reason}`),
    });
    await client.define(0, 0, [gauge(0)]);
    bench.unreachable.add('points/0');
    const sequence = await client.batch([{ partition: 0, points: shareOf([0, bench.acceptClock.nowMs(), 1]) }]);
    await bench.advance(17_000);
    // One record of the series, one of what is stated of its metric.
    expect(await bench.tags(0)).toBe(2);
    expect(ended).toEqual([expect.stringContaining('0: partition 0: no append for 15000 ms')]);
    expect(client.answer(sequence)?.outcome).toBe(BatchResult_Outcome.RETRY);
  });

  test('a session accepts nothing after 5 s without an acknowledged renewal, and accepts again after one', async () => {
    const { bench, session } = await started();
    bench.unreachable.add('control');
    await bench.advance(4500);
    expect(session.isAccepting).toBe(true);
    await bench.advance(2000);
    expect(session.problem).toMatch(/no renewal acknowledged/);
    bench.unreachable.clear();
    await bench.until(() => session.isAccepting, 5000);
  });

  test('a session ends when it reads its own fence', async () => {
    const reasons: string[] = [];
    const { bench, session, client } = await started({ onEnded: (reason) => reasons.push(reason) });
    const value = { term: 1, session: Buffer.from(session.session), lane: undefined, reason: 'silent' };
    await bench.decide({ $case: 'fence', value });
    await bench.until(() => reasons.length > 0);
    expect(reasons).toEqual(['fenced: silent']);
    const sequence = await client.batch([]);
    expect((await client.answered(sequence)).outcome).toBe(BatchResult_Outcome.RETRY);
    const before = (await bench.points(0)).length;
    await bench.advance(5000);
    expect(await bench.points(0)).toHaveLength(before);
  });
});

describe('what a client says of metrics', () => {
  test('is published, and a message with too many metrics ends the stream', async () => {
    const { bench, client } = await started();
    const [metric, other] = [metricIn(0), metricIn(1)];
    const state = (metrics: StatedMetric[]) => client.send({ $case: 'statements', value: { metrics } });
    await client.define(0, 0, [{ metric, kind: KIND.reading, tags: [] }]);
    await state([
      { metric, statement: { kind: KIND.counter, unit: 'byte', intervalMs: 5000 } },
      { metric: other, statement: { unit: 'bit' } },
      { metric, statement: undefined },
    ]);
    await bench.advance(1000);
    const said = { kind: KIND.counter, unit: 'byte', description: undefined, intervalMs: 5000 };
    expect(await bench.statements(0)).toEqual([[metric, 'protocol', said]]);
    // Not before it has series.
    expect(await bench.statements(1)).toEqual([]);
    await expect(state(Array.from({ length: 1001 }, () => ({ metric, statement: {} })))).rejects.toThrow('1000');
  });
});

test('what a user states goes to each partition that has had the metric, also by a map that comes into force later', async () => {
  const { bench, session } = await started();
  const metric = metricIn(0);
  await bench.play(session.metrics.state(TENANT, metric, { unit: 'byte' }));
  const said = (unit: string) => [metric, 'user', expect.objectContaining({ unit })];
  expect([await bench.statements(0), await bench.statements(1)]).toEqual([[said('byte')], []]);
  const slots = evenMap(PARTITIONS, 2).slots.map((partition) => 1 - partition);
  const map = { epoch: 2, partitions: PARTITIONS, slots: packSlots({ epoch: 2, partitions: PARTITIONS, slots }) };
  await bench.decide({ $case: 'map', value: { term: 1, expectedEpoch: 1, map } });
  await bench.play(session.metrics.state(TENANT, metric, { unit: 'bit' }));
  expect(session.maps.current.epoch).toBe(1);
  expect(await bench.statements(0)).toEqual([said('byte'), said('bit')]);
  expect(await bench.statements(1)).toEqual([said('bit')]);
});

describe('a new map', () => {
  test('a map is announced, and its batches are accepted, once it is in force by the clock of the session', async () => {
    const { bench, session, client } = await started();
    bench.skewMs = -800;
    const decidedMs = bench.clock.wallMs();
    const slots = evenMap(PARTITIONS, 2).slots.map((partition) => 1 - partition);
    const map = { epoch: 2, partitions: PARTITIONS, slots: packSlots({ epoch: 2, partitions: PARTITIONS, slots }) };
    await bench.decide({ $case: 'map', value: { term: 1, expectedEpoch: 1, map } });
    const share = () => ({ partition: 1, points: shareOf([0, bench.acceptClock.nowMs(), 1]) });
    // Another intake, whose clock is ahead, has announced the map to the client before.
    await client.define(1, 0, [gauge(0)], 2);
    const early = await client.batch([share()], { mapEpoch: 2 });
    expect(await client.answered(early)).toMatchObject({
      outcome: BatchResult_Outcome.RETRY,
      rejections: [{ reason: 'map_not_in_force', field: 'map_epoch' }],
    });
    expect(session.maps.current.epoch).toBe(1);
    const announced = () => client.replies.filter(({ $case }) => $case === 'map').length;
    await bench.until(() => announced() > 0);
    expect(bench.acceptClock.nowMs()).toBeGreaterThanOrEqual(decidedMs + 2000);
    expect(bench.acceptClock.nowMs()).toBeLessThan(decidedMs + 2200);
    expect(session.maps.current.epoch).toBe(2);
    await bench.until(() => session.isReady);
    const sequence = await client.batch([share()], { mapEpoch: 2 });
    expect((await client.answered(sequence)).outcome).toBe(BatchResult_Outcome.ACKED);
    await bench.advance(5000);
    expect(announced()).toBe(1);
  });
});

describe('a checkpoint', () => {
  test.each(['fenced', 'forgotten', 'as it is'] as const)('a checkpoint reports a session as: %s', async (how) => {
    const bench = await IntakeBench.open();
    const control = new ControlFollower(bench.log, bench.clock);
    await bench.play(control.start());
    const reasons: string[] = [];
    const session = await bench.session({ control, onEnded: (reason) => reasons.push(reason) });
    await bench.until(() => session.isReady);
    const fence = { offset: 1, session: Buffer.from(session.session), lane: undefined, reason: 'trimmed' };
    let checkpoint: Checkpoint | undefined;
    control.listen(({ $case }) => {
      if ($case === 'checkpointBegun') checkpoint = control.state.checkpoint();
    });
    await bench.decide({ $case: 'checkpointBegun', value: { term: control.state.term } });
    await bench.until(() => checkpoint !== undefined);
    if (checkpoint === undefined) throw new Error('no checkpoint has begun');
    if (how === 'fenced') checkpoint.fences.push({ ...fence, completedMs: undefined });
    if (how === 'forgotten') checkpoint.sessions = [];
    await bench.decide({ $case: 'checkpoint', value: checkpoint });
    const { offset } = checkpoint;
    await bench.until(() => control.state.checkpointOffset === offset);
    await bench.advance(200);
    const expected = { fenced: ['fenced: trimmed'], forgotten: ['fenced: long ago'], 'as it is': [] };
    expect([reasons, session.isReady]).toEqual([expected[how], how === 'as it is']);
  });
});

describe('a log that accepts nothing', () => {
  test.each(['full', 'unreachable'] as const)('close ends within 5 s while it is %s', async (how) => {
    for (const topics of [['control'], ['points'], ['points', 'tags', 'control']]) {
      const { bench, session } = await started();
      for (const topic of topics) bench[how].add(topic);
      await bench.advance(1500);
      const startMs = bench.clock.monotonicMs();
      await bench.play(session.close());
      expect(bench.clock.monotonicMs() - startMs).toBeLessThan(5500);
      bench[how].clear();
      await bench.advance(5000);
      expect((await bench.control()).at(-1)?.$case).not.toBe('ended');
    }
  });

  test('a session names no dead lane while the log is full, and at most 64 in one renewal', async () => {
    const { bench, session } = await started({ timing: { ...DEFAULT_LANE_TIMING, appendMs: 100 } });
    bench.full.add('points');
    await bench.advance(60_000);
    expect(renewals(await bench.control()).flatMap(({ deadLanes }) => deadLanes)).toEqual([]);
    expect(session.refusalOf(0)).toMatchObject({ reason: 'log_full' });
    bench.full.clear();
    bench.unreachable.add('points');
    await bench.advance(60_000);
    const named = renewals(await bench.control()).at(-1)?.deadLanes ?? [];
    // Lanes of two partitions die at the same time, in either order.
    expect(named.map(({ lane }) => lane).sort((a, b) => a - b)).toEqual([...Array(64).keys()]);
  });
});

test.each(['points', 'tags'])(
  'points of a partition whose stores of %s are halted for too long are not acknowledged, and those of others are',
  async (topic) => {
    const { bench, client } = await started();
    for (const partition of [0, 1]) await client.define(partition, 0, [gauge(partition)]);
    const send = async (partition: number) => {
      const share = { partition, points: shareOf([0, bench.acceptClock.nowMs(), 1]) };
      return client.answered(await client.batch([share]));
    };
    const decide = (halted: boolean) => {
      return bench.decide({ $case: 'halt', value: { term: 1, topic, partition: 1, offset: 0, halted } });
    };
    await decide(true);
    expect((await send(1)).outcome).toBe(BatchResult_Outcome.ACKED);
    await bench.advance(302_000);
    expect(await send(1)).toMatchObject({
      outcome: BatchResult_Outcome.RETRY,
      rejections: [{ reason: 'partition_halted', field: 'haltedMs', limit: '300000 ms' }],
    });
    expect((await send(0)).outcome).toBe(BatchResult_Outcome.ACKED);
    await decide(false);
    expect((await send(1)).outcome).toBe(BatchResult_Outcome.ACKED);
  },
);

describe('batches', () => {
  test('a stuck partition does not stop the others', async () => {
    const { bench, client } = await started();
    await client.define(0, 0, [gauge(0)]);
    await client.define(1, 0, [gauge(1)]);
    bench.unreachable.add('points/0');
    const nowMs = bench.acceptClock.nowMs();
    const stuck = await client.batch([0, 1].map((partition) => ({ partition, points: shareOf([0, nowMs, 1]) })));
    const fine = await client.batch([{ partition: 1, points: shareOf([0, nowMs + 1, 2]) }]);
    expect((await client.answered(fine)).outcome).toBe(BatchResult_Outcome.ACKED);
    expect(client.answer(stuck)).toBeUndefined();
    bench.unreachable.clear();
    expect((await client.answered(stuck)).outcome).toBe(BatchResult_Outcome.ACKED);
  });

  test('an answer that asks for a retry says what was left out of the shares that are stored', async () => {
    const { bench, client } = await started();
    await client.define(0, 0, [gauge(0)]);
    await client.define(1, 0, [gauge(1)]);
    bench.unreachable.add('points/0');
    const nowMs = bench.acceptClock.nowMs();
    const aheadMs = nowMs + DEFAULT_POINT_LIMITS.aheadMs + 5000;
    const points = shareOf([0, nowMs, 1], [0, aheadMs, 1]);
    const sequence = await client.batch([0, 1].map((partition) => ({ partition, points })));
    const { outcome, acceptedPoints, rejections } = await client.answered(sequence);
    expect([outcome, acceptedPoints]).toEqual([BatchResult_Outcome.RETRY, 1]);
    expect(rejections.map(({ reason, points: left }) => [reason, left])).toEqual([
      [expect.not.stringMatching('timestamp_ahead'), 0],
      ['timestamp_ahead', 1],
    ]);
  });

  test('tags are durable before the first block that needs them', async () => {
    const { bench, client } = await started();
    await client.define(0, 0, [gauge(0)]);
    bench.unreachable.add('tags');
    const sequence = await client.batch([{ partition: 0, points: shareOf([0, bench.acceptClock.nowMs(), 1]) }]);
    await bench.advance(3000);
    expect((await bench.points(0)).filter(({ type }) => type === RECORD.block)).toEqual([]);
    bench.unreachable.clear();
    await client.answered(sequence);
    const block = (await bench.points(0)).find(({ type }) => type === RECORD.block);
    expect([await bench.tags(0), block?.tagsOffset]).toEqual([2, 2]);
  });

  test('the good points of a share are kept, and the others are counted by reason', async () => {
    const { bench, session, client } = await started();
    const distribution = { metric: metricIn(0, 'd'), kind: 4 as const, tags: [] };
    const count = { metric: metricIn(0, 'c'), kind: 2 as const, tags: [] };
    await client.define(0, 0, [gauge(0), count, distribution]);
    const nowMs = bench.acceptClock.nowMs();
    const { aheadMs, behindMs } = DEFAULT_POINT_LIMITS;
    const points = shareOf(
      [0, nowMs - behindMs - 5000, 1],
      [0, nowMs, 2],
      [0, nowMs + aheadMs + 5000, 3],
      [1, nowMs, Number.NaN],
      [1, nowMs + 1, Number.POSITIVE_INFINITY],
      [2, nowMs, 4],
      [7, nowMs, 5],
      [0, nowMs + 1, Buffer.from('no sketch')],
      [2, nowMs + 1, Buffer.from('no sketch')],
    );
    const answer = await client.answered(await client.batch([{ partition: 0, points }]));
    expect(answer).toMatchObject({ outcome: BatchResult_Outcome.ACKED, acceptedPoints: 1 });
    const reasons = Object.fromEntries(answer.rejections.map(({ reason, points: left }) => [reason, left]));
    expect(reasons).toEqual({
      timestamp_behind: 1,
      timestamp_ahead: 1,
      value_nan: 1,
      value_infinite: 1,
      kind_mismatch: 2,
      unknown_ref: 1,
      sketch_invalid: 1,
    });
    expect(session.statusFor(TENANT).rejectedPoints).toEqual(reasons);
    const block = (await bench.points(0)).find(({ type }) => type === RECORD.block);
    const kept = new PointColumns();
    decodeShare(block?.spans[0].share ?? Buffer.alloc(0), kept, new SketchColumns());
    expect([kept.length, kept.values[0]]).toEqual([1, 2]);
    // An answer may be lost: the client sends the batch again, and its points are refused once.
    const replies = client.replies.length;
    await client.batch([{ partition: 0, points }], { sequence: answer.sequence });
    await bench.until(() => client.replies.length > replies);
    expect(session.statusFor(TENANT).rejectedPoints).toEqual(reasons);
  });

  test.each([
    ['sequence_below_floor', { sequence: 3, floor: 4 }],
    ['sequence_beyond_window', { sequence: DEFAULT_INTAKE_LIMITS.window, floor: 0 }],
    ['stamp_too_old', { stampedMs: 1_767_225_600_000 - DEFAULT_INTAKE_LIMITS.stampAgeMs }],
  ])('a batch that can never be accepted is refused: %s', async (reason, stamp) => {
    const { client } = await started();
    const answer = await client.answered(await client.batch([], stamp));
    expect(answer.outcome).toBe(BatchResult_Outcome.REFUSED);
    expect(answer.rejections[0]).toMatchObject({ reason });
  });

  test('two shares of one partition are refused, since a batch is whole in one block', async () => {
    const { bench, client } = await started();
    await client.define(0, 0, [gauge(0)]);
    const share = { partition: 0, points: shareOf([0, bench.acceptClock.nowMs(), 1]) };
    const answer = await client.answered(await client.batch([share, share]));
    expect(answer.rejections[0]).toMatchObject({ reason: 'share_repeated' });
  });

  test('a batch with more shares than there can be partitions ends its stream', async () => {
    const { client } = await started();
    const shares = Array.from({ length: 1025 }, (_, partition) => ({ partition, points: Buffer.alloc(0) }));
    await expect(client.batch(shares)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'shares: 1025 shares (limit: 1024 per batch)',
    });
  });
});

describe('definitions', () => {
  test('a bad series is refused by its ref, and the others are kept', async () => {
    const { bench, client } = await started();
    const long = { metric: 'x'.repeat(201), kind: 1 as const, tags: [] };
    await client.define(0, 0, [gauge(1), long, gauge(0)]);
    const reply = client.replies.find(({ $case }) => $case === 'definitions');
    const refused = reply?.$case === 'definitions' ? reply.value.refused : [];
    expect(refused.map(({ ref, rejection }) => [ref, rejection?.reason, rejection?.field])).toEqual([
      [0, 'partition_invalid', 'partition'],
      [1, 'metric_too_long', 'metric'],
    ]);
    const nowMs = bench.acceptClock.nowMs();
    const points = shareOf([0, nowMs, 1], [1, nowMs, 2], [2, nowMs, 3]);
    const answer = await client.answered(await client.batch([{ partition: 0, points }]));
    expect(answer.acceptedPoints).toBe(1);
    expect(answer.rejections.map(({ reason, points: left }) => [reason, left])).toEqual([
      ['partition_invalid', 1],
      ['metric_too_long', 1],
    ]);
  });

  test.each([
    ['a gap in the refs', 0, 1, 1],
    ['a partition that does not exist', 9, 0, 1],
    ['a map that was not decided', 0, 0, 7],
  ])('%s ends the stream with an error that names it', async (_, partition, firstRef, mapEpoch) => {
    const { client } = await started();
    const error = await client.define(partition, firstRef, [gauge(0)], mapEpoch).catch((caught: unknown) => caught);
    expect(isTidemarkError(error, 'invalid_argument') && error.detail.field).toMatch(/first_ref|partition|map_epoch/);
  });

  test('new series over budget are refused, and known ones are not', async () => {
    const known = gauge(0, ['known']);
    const { bench, session, client } = await started({
      knownSeries: async (_partition, _tenant, ids) => ids.map((_id, i) => i === 0),
    });
    const budget = { term: 1, tenant: TENANT, metric: known.metric, limit: 1, over: true };
    await bench.decide({ $case: 'budget', value: budget });
    await bench.until(() => session.budgets.isExceeded({ tenant: TENANT, metric: known.metric }));
    await client.define(0, 0, [known, gauge(0, ['new'])]);
    const reply = client.replies.find(({ $case }) => $case === 'definitions');
    const refused = reply?.$case === 'definitions' ? reply.value.refused : [];
    expect(refused.map(({ ref, rejection }) => [ref, rejection?.reason])).toEqual([[1, 'series_over_budget']]);
  });
});

describe('series that are defined and not sent', () => {
  const refusedRefs = (client: BenchClient) =>
    client.replies.flatMap((reply) => (reply.$case === 'definitions' ? reply.value.refused.map(({ ref }) => ref) : []));
  const series = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => gauge(0, [`n:${from + i}`]));

  test('they count towards the budgets, until they are sent or their client leaves', async () => {
    const { bench, session, client } = await started({ budgets: { tenantSeries: 10, metricSeries: 3 } });
    await client.define(0, 0, series(0, 5));
    const reply = client.replies.find(({ $case }) => $case === 'definitions');
    const [{ ref, rejection }] = reply?.$case === 'definitions' ? reply.value.refused : [];
    expect([ref, rejection]).toEqual([3, expect.objectContaining({ reason: 'series_over_budget', field: 'series' })]);
    expect(rejection?.limit).toBe('budgets.metricSeries, 3 series');
    const timeMs = bench.acceptClock.nowMs();
    const sequence = await client.batch([{ partition: 0, points: shareOf([0, timeMs, 1], [1, timeMs, 1]) }]);
    expect((await client.answered(sequence)).acceptedPoints).toBe(2);
    await client.define(0, 5, series(5, 8));
    expect(refusedRefs(client)).toEqual([3, 4, 7]);
    expect(session.budgets.unsent.size).toBe(2);
    client.close();
    expect(session.budgets.unsent.size).toBe(0);
  });

  test('clients that come and go leave nothing behind', async () => {
    const { bench, session, client } = await started({ budgets: { tenantSeries: 100, metricSeries: 100 } });
    client.close();
    for (let i = 0; i < 300; i++) {
      const next = new BenchClient(bench, session);
      await next.hello();
      await next.define(0, 0, series(i * 20, i * 20 + 20));
      expect(refusedRefs(next)).toEqual([]);
      if (i % 3 === 0) await next.batch([{ partition: 0, points: shareOf([19, bench.acceptClock.nowMs(), 1]) }]);
      next.close();
    }
    await bench.advance(5000);
    expect([session.openStreams, session.budgets.unsent.size, session.statusFor(TENANT).clientNames]).toEqual([
      0,
      0,
      {},
    ]);
  });

  test('refused ones are not defined in the log', async () => {
    const { bench, session, client } = await started({ knownSeries: async (_, __, ids) => ids.map((_id, i) => i > 0) });
    await bench.decide({ $case: 'budget', value: { term: 1, tenant: TENANT, metric: '', limit: 1, over: true } });
    await bench.until(() => session.budgets.isExceeded({ tenant: TENANT, metric: '' }));
    await client.define(0, 0, series(0, 3));
    expect(refusedRefs(client)).toEqual([0]);
    await client.define(1, 0, [{ ...gauge(1), tags: ['refused'] }]);
    expect([0, 1].map((n) => session.metrics.hasSeries(TENANT, gauge(n).metric))).toEqual([true, false]);
    const sequence = await client.batch([{ partition: 0, points: shareOf([2, bench.acceptClock.nowMs(), 1]) }]);
    expect((await client.answered(sequence)).acceptedPoints).toBe(1);
    const [{ series: defined }] = (await bench.points(0)).flatMap(({ definitions }) => definitions);
    expect(defined.map(({ seriesId }) => seriesId.every((byte) => byte === 0))).toEqual([true, false, false]);
  });
});

describe('one tenant among others', () => {
  const limits = { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS };
  const refusedOf = (client: BenchClient) =>
    client.replies.flatMap((reply) => (reply.$case === 'definitions' ? reply.value.refused : []));
  const many = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) => gauge(0, [`n:${prefix}${i}`]));

  test('a tenant has a max number of streams, and others can still open theirs', async () => {
    const { bench, session } = await started({ limits: { ...limits, streamsPerTenant: 2 } });
    const open = (tenant: string) => openStream(session, tenant, () => undefined);
    const second = open(TENANT);
    expect(() => open(TENANT)).toThrow(
      expect.objectContaining({ code: 'resource_exhausted', message: expect.stringContaining('streamsPerTenant') }),
    );
    expect(open('other').tenant).toBe('other');
    second.close();
    second.close();
    open(TENANT);
    expect(() => open(TENANT)).toThrow('streamsPerTenant');
    await bench.play(session.close());
  });

  test.each([
    ['definitionsPerTenant', { definitionsPerTenant: 5 }],
    ['definitionBytesPerTenant', { definitionBytesPerTenant: 5 * (metricIn(0).length + 4) }],
  ])('a tenant has a limit of definitions in all its streams: %s', async (name, bound) => {
    const { bench, session, client } = await started({ limits: { ...limits, ...bound } });
    await client.define(0, 0, many(3, 'a'));
    const stream = openStream(session, TENANT, ({ message }) => message && client.replies.push(message));
    const value = { clientSession: Buffer.alloc(16, 3), clientName: 'second' };
    await bench.play(stream.receive({ message: { $case: 'hello', value } }));
    const series = many(4, 'b');
    const definitions = { mapEpoch: 1, partition: 0, firstRef: 0, series };
    await bench.play(stream.receive({ message: { $case: 'definitions', value: definitions } }));
    expect(refusedOf(client).map(({ ref, rejection }) => [ref, rejection?.reason])).toEqual([
      [2, 'tenant_definitions'],
      [3, 'tenant_definitions'],
    ]);
    expect(refusedOf(client)[0].rejection?.limit).toContain(name);
    // The definitions stay valid, and there is room again once a stream is closed.
    const sequence = await client.batch([{ partition: 0, points: shareOf([2, bench.acceptClock.nowMs(), 1]) }]);
    expect((await client.answered(sequence)).acceptedPoints).toBe(1);
    stream.close();
    await client.define(0, 3, many(2, 'c'));
    expect(refusedOf(client)).toHaveLength(2);
    await bench.play(session.close());
  });

  test('a client that continues to define refused series loses the stream', async () => {
    const { bench, session, client } = await started({ limits: { ...limits, definitionsPerTenant: 2 } });
    await client.define(0, 0, many(4, 'a'));
    await expect(client.define(0, 4, many(1, 'b'))).rejects.toMatchObject({ code: 'resource_exhausted' });
    await bench.play(session.close());
  });
});

describe('violations', () => {
  test('violations are counted by tenant and reason, and those of unknown callers by the default tenant', async () => {
    const { bench, session, client } = await started();
    const hello = client.hello().catch((error: unknown) => session.violations.countError(TENANT, error));
    const epoch = client.define(0, 0, [], 99).catch((error: unknown) => session.violations.countError(TENANT, error));
    await Promise.all([hello, epoch]);
    session.violations.count(undefined, 'message_too_large');
    session.violations.count(TENANT, 'an invented reason');
    session.violations.countError(TENANT, new Error('the connection broke'));
    expect(session.statusFor(TENANT).violations).toEqual({ hello_invalid: 1, map_epoch_unknown: 1, other: 1 });
    expect(session.statusFor('default').violations).toEqual({ message_too_large: 1 });
    await bench.play(session.close());
  });
});
