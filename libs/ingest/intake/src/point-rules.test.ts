import { beforeAll, describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { BatchResult_Outcome, type Rejection } from '@tidemark/contract';
import { DEFAULT_POINT_LIMITS, KIND, SERIES_CLASS, STALE_MARKER } from '@tidemark/model';
import { DDSketch, packSketch } from '@tidemark/sketch';
import fc from 'fast-check';
import { BenchClient, IntakeBench, type ListedPoint, metricIn, shareOf, TENANT } from './intake-bench.fixture.ts';
import { DEFAULT_INTAKE_LIMITS } from './intake-limits.ts';
import type { RequestSeries } from './intake-request.ts';
import type { IntakeSession } from './intake-session.ts';
import { isPlainNumber, PointRules } from './point-rules.ts';
import { Rejections } from './rejections.ts';
import { RequestIntake } from './request-intake.ts';

const { aheadMs, behindMs } = DEFAULT_POINT_LIMITS;
const { sketchBytes } = DEFAULT_INTAKE_LIMITS;
const SERIES = ['gauge', 'count', 'reading', 'distribution', 'nameless'] as const;

/** A point of one of `SERIES`, with its distance from the accept time. */
type DistantPoint = readonly [series: (typeof SERIES)[number], distanceMs: number, value: number | Uint8Array];

interface Verdict {
  readonly accepted: number;
  readonly rejections: readonly Rejection[];
}

function packed(value: number): Uint8Array {
  const sketch = new DDSketch();
  sketch.insert(value);
  const out = new ByteWriter();
  packSketch(sketch, out);
  return out.take();
}

const SKETCH = packed(5);
/** A point that is always accepted, so that neither path refuses all points. */
const GOOD: DistantPoint = ['gauge', 0, 1];

/** Sorts by reason. The example of a message is left out: the two paths read their points at another time, and order. */
function byReason(rejections: readonly Rejection[]): readonly Rejection[] {
  return rejections
    .map((one) => ({ ...one, message: one.message.replace(/, for example .*$/, '') }))
    .sort((a, b) => (a.reason < b.reason ? -1 : 1));
}

test('a point that the stores would delete at once is refused, with the limit that holds', () => {
  const limits = { ...DEFAULT_POINT_LIMITS, ...DEFAULT_INTAKE_LIMITS };
  const verdict = (ageMs: number, keptMs: number | undefined) => {
    const rejections = new Rejections();
    const rules = new PointRules({ ...limits, keptMs }, 1e12);
    return rules.rejectsNumber(SERIES_CLASS.reading, false, 1e12 - ageMs, 1, rejections) ? rejections.list : [];
  };
  expect(verdict(7_200_000, 7_200_000)).toEqual([]);
  expect(verdict(7_200_001, 7_200_000)).toMatchObject([
    {
      reason: 'timestamp_behind',
      limit: "7200000 ms behind the intake's clock, as long as points are kept",
      points: 1,
    },
  ]);
  for (const keptMs of [undefined, 2 * behindMs]) {
    expect(verdict(behindMs, keptMs)).toEqual([]);
    expect(verdict(behindMs + 1, keptMs)).toMatchObject([{ limit: `${behindMs} ms behind the intake's clock` }]);
  }
});

describe('the same points in a stream and in a request', () => {
  let bench: IntakeBench;
  let session: IntakeSession;
  let client: BenchClient;
  let requests: RequestIntake;

  beforeAll(async () => {
    bench = await IntakeBench.open();
    session = await bench.session();
    await bench.until(() => session.isReady);
    client = new BenchClient(bench, session);
    await client.hello();
    requests = new RequestIntake({ session: () => session, clock: bench.clock, random: bench.world.random });
    await client.define(
      0,
      0,
      SERIES.map((name) => ({ ...named(name), kind: KIND[named(name).kind] })),
    );
  });

  function named(name: (typeof SERIES)[number]): Pick<RequestSeries, 'metric' | 'kind'> & { tags: string[] } {
    return { metric: metricIn(0), ...(name === 'nameless' ? { kind: 'gauge', tags: [''] } : { kind: name, tags: [] }) };
  }

  async function byStream(points: readonly DistantPoint[]): Promise<Verdict> {
    const nowMs = bench.acceptClock.nowMs();
    const listed = points.map(
      ([name, distanceMs, value]): ListedPoint => [SERIES.indexOf(name), nowMs + distanceMs, value],
    );
    const share = shareOf(...listed.sort((a, b) => a[0] - b[0]));
    const { outcome, acceptedPoints, rejections } = await client.answered(
      await client.batch([{ partition: 0, points: share }]),
    );
    expect(outcome).toBe(BatchResult_Outcome.ACKED);
    return { accepted: acceptedPoints, rejections: byReason(rejections) };
  }

  async function inRequest(points: readonly DistantPoint[]): Promise<Verdict> {
    const one = requests.open(TENANT);
    const nowMs = bench.acceptClock.nowMs();
    for (const [name, distanceMs, value] of points) {
      const handle = one.series(named(name));
      if (typeof value === 'number') one.point(handle, nowMs + distanceMs, value);
      else one.sketch(handle, nowMs + distanceMs, value);
    }
    const { outcome, acceptedPoints, rejections } = await bench.play(one.send());
    expect(outcome).toBe('acked');
    return { accepted: acceptedPoints, rejections: byReason(rejections) };
  }

  test.each<[string, readonly DistantPoint[]]>([
    ['kind_mismatch', [['distribution', 0, 1]]],
    ['kind_mismatch', [['gauge', 0, SKETCH]]],
    ['value_nan', [['gauge', 0, Number.NaN]]],
    ['value_nan', [['count', 0, Number.NaN]]],
    ['value_nan', [['count', 0, STALE_MARKER]]],
    ['value_infinite', [['count', 0, Number.POSITIVE_INFINITY]]],
    ['value_infinite', [['count', 0, Number.NEGATIVE_INFINITY]]],
    ['timestamp_ahead', [['gauge', aheadMs + 1, 1]]],
    ['timestamp_ahead', [['distribution', aheadMs + 1, SKETCH]]],
    ['timestamp_behind', [['gauge', -behindMs - 1, 1]]],
    ['timestamp_behind', [['distribution', -behindMs - 1, SKETCH]]],
    ['sketch_invalid', [['distribution', 0, Uint8Array.of(1)]]],
    ['sketch_too_large', [['distribution', 0, new Uint8Array(sketchBytes + 1)]]],
    ['sketch_too_large', [['distribution', 0, new Uint8Array(4 * sketchBytes)]]],
    ['tag_empty', [['nameless', 0, 1]]],
    // The first rule that a point violates is its reason.
    ['tag_empty', [['nameless', aheadMs + 1, Number.NaN]]],
    ['timestamp_ahead', [['count', aheadMs + 1, Number.NaN]]],
    ['kind_mismatch', [['distribution', 0, Number.NaN]]],
    ['kind_mismatch', [['gauge', 0, new Uint8Array(sketchBytes + 1)]]],
  ])('%s: %j', async (reason, points) => {
    const [stream, request] = [await byStream([GOOD, ...points]), await inRequest([GOOD, ...points])];
    expect(request).toEqual(stream);
    expect(stream).toMatchObject({ accepted: 1, rejections: [{ reason, points: points.length }] });
  });

  test('points at each limit are accepted', async () => {
    const points: DistantPoint[] = [
      ['gauge', aheadMs, Number.POSITIVE_INFINITY],
      ['gauge', -behindMs, -0],
      ['reading', aheadMs, Number.MAX_VALUE],
      ['distribution', -behindMs, SKETCH],
      ['distribution', aheadMs, SKETCH],
    ];
    // The stale marker ends a series of readings.
    points.push(['gauge', 0, STALE_MARKER], ['reading', 0, STALE_MARKER]);
    const accepted = { accepted: points.length, rejections: [] };
    expect([await byStream(points), await inRequest(points)]).toEqual([accepted, accepted]);
  });

  test('any points have equal counts by reason in both', async () => {
    const distance = fc.constantFrom(0, 1, -1, aheadMs, aheadMs + 1, -behindMs, -behindMs - 1, 2 ** 41, -(2 ** 40));
    const value = fc.constantFrom<(number | Uint8Array)[]>(
      ...[0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE],
      ...[SKETCH, packed(-1), new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(sketchBytes + 1)],
    );
    const points = fc.array(fc.tuple(fc.constantFrom(...SERIES), distance, value), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(points, async (list) => {
        const stream = await byStream([GOOD, ...list]);
        expect(await inRequest([GOOD, ...list])).toEqual(stream);
        const rejected = stream.rejections.reduce((sum, { points: count }) => sum + count, 0);
        expect(stream.accepted + rejected).toBe(1 + list.length);
      }),
      { numRuns: 40 },
    );
  });
});

test('a number is plain only if no rule rejects it, and NaN as a time is rejected', () => {
  const rules = new PointRules({ aheadMs: 10, behindMs: 20, sketchBytes: 100 }, 1000);
  const times = [979, 980, 1000, 1010, 1011, Number.NaN];
  const values = [0, 1, Number.NaN, Number.POSITIVE_INFINITY];
  for (const seriesClass of Object.values(SERIES_CLASS)) {
    for (const timeMs of times) {
      for (const value of values) {
        const rejections = new Rejections();
        const isRejected = rules.rejectsNumber(seriesClass, false, timeMs, value, rejections);
        expect(rejections.points).toBe(isRejected ? 1 : 0);
        if (isPlainNumber(seriesClass, timeMs, value, rules.minTimeMs, rules.maxTimeMs)) expect(isRejected).toBe(false);
        if (Number.isNaN(timeMs)) expect(rejections.list[0].reason).toBe('timestamp_behind');
      }
    }
  }
});

test('a time in milliseconds that was sent as seconds is named, with what to do', () => {
  const nowMs = 1_700_000_000_000;
  const rules = new PointRules({ aheadMs: 600_000, behindMs: 20, sketchBytes: 100 }, nowMs);
  const messageOf = (timeMs: number) => {
    const rejections = new Rejections();
    rules.rejectsNumber(SERIES_CLASS.reading, false, timeMs, 1, rejections);
    return rejections.list[0].message;
  };
  expect(messageOf(nowMs * 1000)).toBe(
    "timestamp: timestamp_ahead (limit: 600000 ms ahead of the intake's clock), " +
      'for example 1700000000000 s; divide it by 1000',
  );
  expect(messageOf(nowMs - 21)).toMatch(/, for example 1699999999\.979 s$/);
});
