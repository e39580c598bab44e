import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome, Kind, type Series } from '@tidemark/contract';
import { DAY_MS } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { eventually } from './process/eventually.ts';
import { IntakePeer, type PeerOptions, shareOf } from './process/intake-peer.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const MESSAGE_BYTES = 256 * 1024;
const harness = new TestHarness();
let platform: PlatformUnderTest;

beforeAll(async () => {
  platform = await harness.platform({
    intake: { messageBytes: MESSAGE_BYTES, definitionsPerMessage: 500 },
    query: { series: 50, points: 10_000, concurrentQueries: 4 },
  });
});
afterAll(() => harness.clear());

let lastMetric = 0;

/** Returns a new metric name, so that tests don't see each other's points. */
function newMetric(): string {
  return `bad.input.m${++lastMetric}`;
}

async function peerOf(options?: PeerOptions): Promise<IntakePeer> {
  const peer = await IntakePeer.greeted(platform.grpcAddress, options);
  harness.onClear(async () => peer.close());
  return peer;
}

function gauge(metric: string, tags: string[] = []): Series {
  return { metric, kind: Kind.GAUGE, tags };
}

async function rejected(reason: string): Promise<number> {
  const { sessions } = await platform.status();
  return sessions.reduce((sum, { rejectedPoints }) => sum + (rejectedPoints[reason] ?? 0), 0);
}

/** Counts the points of a metric in a complete answer. */
async function stored(metric: string, fromMs: number): Promise<number> {
  const { series } = await platform.queryComplete(`sum:${metric}{*}.rollup(count, 60)`, fromMs, Date.now());
  return series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
}

describe('a series that breaks a limit is refused and the rest of the batch is kept', () => {
  const cases: readonly (readonly [string, (metric: string) => Series, string, string, string])[] = [
    ['an over-long metric', () => gauge('m'.repeat(201)), 'metric_too_long', 'metric', '200 bytes'],
    ['an empty metric', () => gauge(''), 'metric_empty', 'metric', 'at least 1 byte'],
    ['an over-long tag', (m) => gauge(m, [`k:${'v'.repeat(4351)}`]), 'tag_too_long', 'tag', '4352 bytes'],
    [
      'too many tags',
      (m) =>
        gauge(
          m,
          Array.from({ length: 101 }, (_, i) => `k:${i}`),
        ),
      'too_many_tags',
      'tags',
      '100 tags',
    ],
    ['bad UTF-8', (m) => gauge(`${m}\ufffd`), 'metric_not_utf8', 'metric', 'valid UTF-8'],
    ['a control character', (m) => gauge(`${m}\n`), 'metric_control_character', 'metric', 'no control characters'],
    [
      'an unknown kind',
      (m) => ({ metric: m, kind: 9 as Kind, tags: [] }),
      'kind_unknown',
      'kind',
      'gauge, count, counter, reading, rate or distribution',
    ],
  ];
  test.each(cases)('%s', async (_, bad, reason, field, limit) => {
    const metric = newMetric();
    const peer = await peerOf();
    const partition = peer.partitionOf(metric);
    const nowMs = Date.now();
    const before = await rejected(reason);
    peer.define(partition, [gauge(metric, ['good:1']), bad(metric), gauge(metric, ['good:2'])]);
    const points = shareOf([
      [0, nowMs, 1],
      [1, nowMs, 2],
      [2, nowMs, 3],
    ]);
    const result = await peer.batch([{ partition, points }]);
    expect(result).toMatchObject({
      outcome: BatchResult_Outcome.ACKED,
      acceptedPoints: 2,
      rejections: [{ reason, field, limit, points: 1 }],
    });
    expect(peer.definitions).toMatchObject([{ partition, refused: [{ ref: 1, rejection: { reason, field, limit } }] }]);
    expect(peer.definitions[0].refused[0].rejection?.message).toContain(limit);
    expect(await rejected(reason)).toBe(before + 1);
    expect(await platform.tags(metric)).toEqual(['good:1', 'good:2']);
    expect(await stored(metric, nowMs)).toBe(2);
  });

  test('a series sent to a partition that is not its own', async () => {
    const metric = newMetric();
    const peer = await peerOf();
    const wrong = 1 - peer.partitionOf(metric);
    peer.define(wrong, [gauge(metric)]);
    const result = await peer.batch([{ partition: wrong, points: shareOf([[0, Date.now(), 1]]) }]);
    expect(result).toMatchObject({
      acceptedPoints: 0,
      rejections: [{ reason: 'partition_invalid', field: 'partition' }],
    });
  });
});

describe('a point that breaks a limit is left out and the rest of the batch is kept', () => {
  const cases: readonly (readonly [string, Kind, number, number, number, string, string])[] = [
    ['NaN', Kind.GAUGE, 0, 0, Number.NaN, 'value_nan', 'value'],
    ['an infinite count', Kind.COUNT, 0, 0, Number.POSITIVE_INFINITY, 'value_infinite', 'value'],
    ['a timestamp too far ahead', Kind.GAUGE, 0, 11 * 60_000, 1, 'timestamp_ahead', 'timestamp'],
    ['a timestamp too far behind', Kind.GAUGE, 0, -8 * DAY_MS, 1, 'timestamp_behind', 'timestamp'],
    ['a ref that was never defined', Kind.GAUGE, 7, 0, 1, 'unknown_ref', 'ref'],
    ['a number for a distribution', Kind.DISTRIBUTION, 0, 0, 1, 'kind_mismatch', 'value'],
  ];
  test.each(cases)('%s', async (_, kind, ref, shiftMs, value, reason, field) => {
    const metric = newMetric();
    const peer = await peerOf();
    const partition = peer.partitionOf(metric);
    const nowMs = Date.now();
    const before = await rejected(reason);
    peer.define(partition, [{ metric, kind, tags: ['bad:1'] }, gauge(metric, ['good:1'])]);
    const bad = [ref, nowMs + shiftMs, value] as const;
    const good = [1, nowMs, 5] as const;
    const result = await peer.batch([{ partition, points: shareOf(ref > 1 ? [good, bad] : [bad, good]) }]);
    expect(result).toMatchObject({
      outcome: BatchResult_Outcome.ACKED,
      acceptedPoints: 1,
      rejections: [{ reason, field, points: 1 }],
    });
    expect(result.rejections[0].limit).not.toBe('');
    expect(await rejected(reason)).toBe(before + 1);
    expect(await stored(metric, nowMs)).toBe(1);
  });

  test('a share of malformed bytes, in a batch with a share of another partition', async () => {
    const peer = await peerOf();
    const metrics = [newMetric(), newMetric(), newMetric(), newMetric(), newMetric()];
    const good = metrics[0];
    const bad = metrics.find((metric) => peer.partitionOf(metric) !== peer.partitionOf(good));
    if (bad === undefined) throw new Error('all metrics are of one partition');
    const nowMs = Date.now();
    for (const metric of [good, bad]) peer.define(peer.partitionOf(metric), [gauge(metric)]);
    const before = await rejected('share_malformed');
    const result = await peer.batch([
      { partition: peer.partitionOf(bad), points: Buffer.from('01ffffffffffff', 'hex') },
      { partition: peer.partitionOf(good), points: shareOf([[0, nowMs, 1]]) },
    ]);
    expect(result).toMatchObject({
      outcome: BatchResult_Outcome.ACKED,
      acceptedPoints: 1,
      rejections: [{ reason: 'share_malformed', field: 'share.points' }],
    });
    expect(await rejected('share_malformed')).toBe(before + 1);
    expect(await stored(good, nowMs)).toBe(1);
  });
});

describe('a batch that can never be accepted is refused', () => {
  test.each([
    ['a stamp older than seven days', { stampedMs: 1 }, 'stamp_too_old', 'stamped_ms'],
    ['a sequence beyond the window', { sequence: 5000 }, 'sequence_beyond_window', 'sequence'],
    ['a sequence below its floor', { sequence: 3, floor: 4 }, 'sequence_below_floor', 'sequence'],
  ])('%s', async (_, changes, reason, field) => {
    const metric = newMetric();
    const peer = await peerOf();
    const partition = peer.partitionOf(metric);
    peer.define(partition, [gauge(metric)]);
    const before = await rejected(reason);
    const result = await peer.batch([{ partition, points: shareOf([[0, Date.now(), 1]]) }], changes);
    expect(result).toMatchObject({ outcome: BatchResult_Outcome.REFUSED, rejections: [{ reason, field, points: 1 }] });
    expect(await rejected(reason)).toBe(before + 1);
    // The stream continues.
    expect(await peer.batch([{ partition, points: shareOf([[0, Date.now(), 1]]) }])).toMatchObject({
      acceptedPoints: 1,
    });
  });
});

describe('the error for a peer that breaks the protocol says how, and its stream ends', () => {
  const cases: readonly (readonly [string, boolean, (peer: IntakePeer) => void, string, RegExp])[] = [
    ['a second hello', true, (peer) => peer.hello(), 'hello', /second hello.*limit: one per stream/],
    [
      'definitions before hello',
      false,
      (peer) => peer.send({ $case: 'definitions', value: { mapEpoch: 1, partition: 0, firstRef: 0, series: [] } }),
      'message',
      /before hello/,
    ],
    [
      'a client session of a wrong length',
      false,
      (peer) => peer.hello(Buffer.alloc(3)),
      'client_session',
      /3 bytes.*limit: 16 bytes/,
    ],
    [
      'a client name that is too long',
      false,
      (peer) => peer.hello(undefined, 'n'.repeat(201)),
      'client_name',
      /limit: 200 bytes/,
    ],
    ['refs with a hole', true, (peer) => peer.define(0, [gauge('a')], 5), 'first_ref', /ref 5 .*limit: 0/],
    [
      'too many definitions at once',
      true,
      (peer) =>
        peer.define(
          0,
          Array.from({ length: 501 }, () => gauge('a')),
        ),
      'series',
      /501.*limit: 500/,
    ],
    ['a partition that does not exist', true, (peer) => peer.define(99, [gauge('a')]), 'partition', /limit: below 2/],
    [
      'a map epoch that was never decided',
      true,
      (peer) => peer.send({ $case: 'definitions', value: { mapEpoch: 77, partition: 0, firstRef: 0, series: [] } }),
      'map_epoch',
      /77 is not known \(limit: 1\)/,
    ],
    ['an empty message', true, (peer) => peer.send(undefined), 'message', /empty message/],
  ];
  test.each(cases)('%s', async (_, isGreeted, act, field, message) => {
    const peer = isGreeted ? await peerOf() : new IntakePeer(platform.grpcAddress);
    act(peer);
    const error = await peer.ended();
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toMatch(message);
    expect(error.detail.field).toBe(field);
    peer.close();
  });

  test('a frame beyond the message limit', async () => {
    const peer = await peerOf();
    expect(peer.greeting?.maxMessageBytes).toBe(MESSAGE_BYTES);
    void peer.batch([{ partition: 0, points: Buffer.alloc(MESSAGE_BYTES + 1) }]).catch(() => undefined);
    const error = await peer.ended();
    expect(error.code).toBe('resource_exhausted');
    expect(error.message).toContain(String(MESSAGE_BYTES));
  });

  test('a compressed frame that is small on the wire and unpacks beyond the limit', async () => {
    const peer = await peerOf({ gzip: true });
    void peer.batch([{ partition: 0, points: Buffer.alloc(200 * 1024 * 1024) }]).catch(() => undefined);
    const error = await peer.ended();
    expect(error.code).toBe('resource_exhausted');
    expect(error.message).toContain(String(MESSAGE_BYTES));
    expect((await platform.status()).errors).toEqual([]);
  });
});

describe('a query that asks for too much or for nonsense', () => {
  const NOW_MS = Date.now();
  test.each([
    ['a syntax error', 'avg:a{*} by', 'invalid_argument', /column/],
    ['no scope', 'avg:a', 'invalid_argument', /column/],
    ['too long', `avg:${'a'.repeat(20_000)}{*}`, 'invalid_argument', /16384/],
    ['too many steps', 'avg:a{*}.rollup(avg, 1)', 'invalid_argument', /limit: query.steps 11000.*or raise query.steps/],
  ])('%s', async (_, query, code, message) => {
    const asked = platform.query(query, NOW_MS - DAY_MS, NOW_MS);
    await expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('a range that is empty', async () => {
    await expect(platform.query('avg:a{*}', 2000, 1000)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('more series, or more points, than a query may read', async () => {
    const client = await harness.client(platform.grpcAddress);
    const nowMs = Date.now();
    for (let i = 0; i < 51; i++) client.gauge('bad.input.wide', i, [`i:${i}`], nowMs);
    for (let i = 0; i < 10_001; i++) client.gauge('bad.input.deep', i, [], nowMs - i);
    client.flush();
    await client.settled();
    await eventually('the series to be known', async () => (await platform.tags('bad.input.wide')).length === 51);
    await expect(platform.query('avg:bad.input.wide{*}', nowMs - 60_000, nowMs + 1)).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringMatching(/limit: query\.series 50\); .*raise query\.series/),
    });
    await expect(platform.query('avg:bad.input.wide{i:3}', nowMs - 60_000, nowMs + 1)).resolves.toMatchObject({
      seriesRead: 1,
    });
    await eventually('the points to be too many', async () => {
      const refusal = await platform.query('avg:bad.input.deep{*}', nowMs - 60_000, nowMs + 1).catch((error) => error);
      return refusal instanceof TidemarkError && /limit: query\.points 10000\)/.test(refusal.message);
    });
  });
});

describe('over HTTP', () => {
  async function get(path: string, init?: RequestInit): Promise<{ status: number; text: string }> {
    const response = await fetch(`${platform.httpUrl}${path}`, init);
    return { status: response.status, text: await response.text() };
  }

  test('a URL beyond its limit', async () => {
    const { status, text } = await get(`/api/v1/query?query=${'a'.repeat(66_000)}&from=0&to=1`);
    expect([400, 431]).toContain(status);
    expect(text).toMatch(/url|header/i);
  });

  test('a body beyond its limit', async () => {
    const body = JSON.stringify({ query: 'a'.repeat(1024 * 1024 + 1), from_ms: 0, to_ms: 1 });
    const headers = { 'content-type': 'application/json' };
    const { status, text } = await get('/api/tidemark/v1/query', { method: 'POST', headers, body });
    expect(status).toBe(413);
    expect(text).toMatch(/body.*1048576/i);
  });

  test.each([
    ['a missing parameter', '/api/v1/query?query=avg:a{*}&from=0', /to/],
    ['a parameter that is not a number', '/api/v1/query?query=avg:a{*}&from=yesterday&to=1', /from.*seconds/],
    ['a syntax error', '/api/v1/query?query=avg:a{&from=0&to=60', /column/],
  ])('%s', async (_, path, message) => {
    const { status, text } = await get(path);
    expect(status).toBe(400);
    expect(text).toMatch(message);
  });

  test('a wrong method and an unknown path', async () => {
    expect((await get('/api/v1/query', { method: 'DELETE' })).status).toBe(405);
    expect((await get('/api/v2/nothing')).status).toBe(404);
  });
});
