import { describe, expect, test } from '@jest/globals';
import { toHex } from '@tidemark/bytes';
import { inspectShare } from '@tidemark/columns';
import { ControlState } from '@tidemark/control-log';
import { evenMap, packSlots } from '@tidemark/model';
import { LaneTracker } from '@tidemark/point-log';
import { RECORD } from '@tidemark/point-records';
import { IntakeBench, metricIn, PARTITIONS, TENANT } from './intake-bench.fixture.ts';
import type { IntakeSession } from './intake-session.ts';
import { RequestIntake } from './request-intake.ts';
import { checkMapIsHeld, parseRequestKey, type RequestKey } from './request-key.ts';
import type { RequestLimits } from './request-limits.ts';

const DAY_MS = 86_400_000;
const CLIENT = Buffer.alloc(16, 7);
const keyOf = (sequence: number, clientSession: Uint8Array = CLIENT, mapEpoch = 1): RequestKey => {
  return { clientSession, sequence, mapEpoch };
};
const refusedFor = (reason: string, code = 'invalid_argument') =>
  expect.objectContaining({ code, detail: expect.objectContaining({ reason, field: 'idempotency-key' }) });

async function started(limits: Partial<RequestLimits> = {}) {
  const bench = await IntakeBench.open();
  let session: IntakeSession = await bench.session();
  await bench.until(() => session.isReady);
  const { clock, world } = bench;
  const intakeOf = () => new RequestIntake({ session: () => session, clock, random: world.random, limits });
  /** Sends the same request each time, with points in each partition. */
  const send = async (intake: RequestIntake, key: RequestKey, points = 1) => {
    const one = await bench.play(intake.openKeyed(TENANT, key));
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const handle = one.series({ metric: metricIn(partition), kind: 'count', tags: [] });
      for (let i = 0; i < points; i++) one.point(handle, bench.acceptClock.nowMs(), 1);
    }
    return bench.play(one.send());
  };
  /** Crashes the intake without a clean end, and starts another one. */
  const crash = async () => {
    session = await bench.session();
    await bench.until(() => session.isReady);
    return intakeOf();
  };
  return { bench, intake: intakeOf(), send, crash, isReady: () => session.isReady };
}

/** Returns the counts of a partition's store: new points, and points that it has seen before. */
async function countedIn(bench: IntakeBench, partition: number) {
  const tracker = new LaneTracker();
  let fresh = 0;
  let repeated = 0;
  const stamps: string[] = [];
  for (const [offset, record] of (await bench.points(partition)).entries()) {
    if (tracker.begin(record) !== 'apply') continue;
    for (const span of record.type === RECORD.block ? record.spans : []) {
      const { points } = inspectShare(span.share);
      stamps.push(`${toHex(span.clientSession).slice(0, 2)} ${span.sequence} ${span.floor} ${span.mapEpoch}`);
      if (tracker.isFresh(span, points)) fresh += points;
      else repeated += points;
    }
    tracker.end(record, offset);
  }
  return { fresh, repeated, stamps };
}

describe('requests with a key', () => {
  test('a request counts once in each partition when an intake dies between any of them', async () => {
    const { bench, intake, send, crash } = await started();
    bench.unreachable.add('points/1');
    expect(await send(intake, keyOf(0))).toMatchObject({ outcome: 'retry' });
    bench.unreachable.clear();
    const other = await crash();
    expect(await send(other, keyOf(0))).toMatchObject({ outcome: 'acked', acceptedPoints: 2 });
    expect(await send(await crash(), keyOf(0))).toMatchObject({ outcome: 'acked' });
    expect(await send(await crash(), keyOf(1))).toMatchObject({ outcome: 'acked' });
    const [first, second] = [await countedIn(bench, 0), await countedIn(bench, 1)];
    expect([first.fresh, first.repeated, second.fresh, second.repeated]).toEqual([2, 2, 2, 1]);
    expect(first.stamps).toEqual(['07 0 0 1', '07 0 0 1', '07 0 0 1', '07 1 0 1']);
  });

  test('a request with a key is its own batch, also among simultaneous requests', async () => {
    const { bench, intake } = await started();
    const requests = [intake.open(TENANT)];
    for (const sequence of [0, 3]) requests.push(await bench.play(intake.openKeyed(TENANT, keyOf(sequence))));
    for (const one of requests) {
      one.point(one.series({ metric: metricIn(0), kind: 'count', tags: [] }), bench.acceptClock.nowMs(), 1);
    }
    const results = await bench.play(Promise.all(requests.map((one) => one.send())));
    expect(results.map(({ outcome }) => outcome)).toEqual(['acked', 'acked', 'acked']);
    const { fresh, stamps } = await countedIn(bench, 0);
    expect([fresh, stamps.length, new Set(stamps).size]).toEqual([3, 3, 3]);
  });

  test('the floor follows the window, so that distant sequences are distinguished', async () => {
    const { bench, intake, send } = await started();
    for (const sequence of [0, 1023, 1024, 5000, 3977, 3977]) await send(intake, keyOf(sequence));
    await expect(bench.play(intake.openKeyed(TENANT, keyOf(3976)))).rejects.toEqual(refusedFor('idempotency_key_old'));
    const { fresh, repeated, stamps } = await countedIn(bench, 0);
    expect([fresh, repeated]).toEqual([5, 1]);
    expect(stamps.map((stamp) => stamp.split(' ')[2])).toEqual(['0', '0', '1', '3977', '2954', '2954']);
  });

  test('a request is routed by its own map after the map has changed', async () => {
    const { bench, intake, send, isReady } = await started();
    bench.unreachable.add('points/1');
    expect(await send(intake, keyOf(0))).toMatchObject({ outcome: 'retry' });
    bench.unreachable.clear();
    await bench.until(isReady);
    const slots = evenMap(PARTITIONS).slots.map((partition) => 1 - partition);
    const map = { epoch: 2, partitions: PARTITIONS, slots: packSlots({ epoch: 2, partitions: PARTITIONS, slots }) };
    await bench.decide({ $case: 'map', value: { term: 1, expectedEpoch: 1, map } });
    await bench.until(() => intake.mapEpoch === 2);
    expect(await send(intake, keyOf(0))).toMatchObject({ outcome: 'acked' });
    expect(await send(intake, keyOf(1, CLIENT, 2))).toMatchObject({ outcome: 'acked' });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { fresh, stamps } = await countedIn(bench, partition);
      expect([partition, fresh, stamps.at(-2), stamps.at(-1)]).toEqual([partition, 2, '07 0 0 1', '07 1 0 2']);
    }
    await expect(bench.play(intake.openKeyed(TENANT, keyOf(2, CLIENT, 3)))).rejects.toThrow(
      'map_epoch: 3 is not known',
    );
  });

  test('a request with more points than a batch may have is refused, since it cannot be split', async () => {
    const { intake, send } = await started({ batchPoints: 5 });
    const { outcome, rejections } = await send(intake, keyOf(0), 3);
    expect([outcome, rejections]).toEqual([
      'refused',
      [expect.objectContaining({ reason: 'request_too_large', field: 'batchPoints', limit: '5 points', points: 6 })],
    ]);
    expect(await send(intake, keyOf(1), 2)).toMatchObject({ outcome: 'acked', acceptedPoints: 4 });
  });

  test('the number of client sessions is bounded, and idle ones are removed', async () => {
    const { bench, intake, send } = await started({ clientSessions: 2, idleMs: 60_000 });
    const session = (n: number) => Buffer.alloc(16, n);
    for (const n of [1, 2, 1]) expect(await send(intake, keyOf(n, session(n)))).toMatchObject({ outcome: 'acked' });
    const third = () => bench.play(intake.openKeyed(TENANT, keyOf(0, session(3))));
    await expect(third()).rejects.toEqual(refusedFor('idempotency_sessions', 'resource_exhausted'));
    await bench.advance(50_000);
    await send(intake, keyOf(9, session(1)));
    await bench.advance(20_000);
    await third();
    await expect(bench.play(intake.openKeyed(TENANT, keyOf(0, session(2))))).rejects.toThrow(
      /too many client sessions/,
    );
  });
});

test.each([
  '',
  'abc',
  `${'0'.repeat(31)}.1.1`,
  `${'g'.repeat(32)}.1.1`,
  `${'0'.repeat(32)}.1`,
  `${'0'.repeat(32)}.1.-1`,
])('the key %j is malformed', (text) => {
  expect(() => parseRequestKey(text)).toThrow(refusedFor('idempotency_key_invalid'));
});

test('the digits of a key may have either case', () => {
  const key = parseRequestKey(` ${'aB'.repeat(16)}.0012.3 `);
  expect(key).toEqual({ clientSession: Buffer.alloc(16, 0xab), sequence: 12, mapEpoch: 3 });
});

test('a map is valid for keys until six days after the next one came into force', () => {
  const state = new ControlState();
  const decide = (epoch: number, atMs: number) => {
    const map = { epoch, partitions: 1, slots: packSlots(evenMap(1, epoch)) };
    state.apply({ $case: 'map', value: { term: 1, expectedEpoch: epoch - 1, map } }, state.nextOffset, atMs);
  };
  state.apply({ $case: 'term', value: { term: 1, process: 'p' } }, 0, 0);
  decide(1, 1000);
  checkMapIsHeld(state, 1, 100 * DAY_MS);
  decide(2, DAY_MS);
  decide(3, 50 * DAY_MS);
  const overMs = state.inForceMs(2) + 6 * DAY_MS;
  checkMapIsHeld(state, 1, overMs - 1);
  expect(() => checkMapIsHeld(state, 1, overMs)).toThrow(refusedFor('idempotency_key_expired'));
  checkMapIsHeld(state, 2, overMs);
  checkMapIsHeld(state, 3, 100 * DAY_MS);
});
