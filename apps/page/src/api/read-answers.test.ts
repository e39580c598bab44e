import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ApiClient } from './api-client.ts';
import { errorOfReply } from './api-error.ts';
import { readMeaning, readMetrics, readQueryAnswer, readTagKeys } from './read-answers.ts';
import { readStatus } from './read-status.ts';

describe('answers', () => {
  test('a query answer is read in the shape of Datadog, with completeness in seconds', () => {
    const answer = readQueryAnswer({
      status: 'ok',
      series: [
        {
          metric: 'system.load.1',
          expression: 'avg:system.load.1{*} by {host}',
          scope: 'host:a',
          tag_set: ['host:a'],
          interval: 5,
          unit: [{ family: 'bytes', name: 'byte' }, null],
          complete_length: 1,
          pointlist: [
            [1_000, 1.5],
            [6_000, null],
            ['x', 1],
          ],
        },
      ],
      complete_through: 12.345,
      errors: ['points/1: unavailable: stopped', 'odd'],
      gaps: [{ topic: 'tags', partition: 1, offset: '9007199254', records: '3', reason: 'skipped' }],
      notes: ['a note', 7],
    });
    expect(answer).toEqual({
      series: [
        {
          metric: 'system.load.1',
          expression: 'avg:system.load.1{*} by {host}',
          scope: 'host:a',
          tags: ['host:a'],
          intervalMs: 5_000,
          points: [
            [1_000, 1.5],
            [6_000, null],
          ],
          completeSteps: 1,
          unit: { name: 'byte', per: '' },
        },
      ],
      completeThroughMs: 12_345,
      errors: [
        { part: 'points/1', code: 'unavailable', message: 'stopped' },
        { part: '', code: '', message: 'odd' },
      ],
      gaps: [{ topic: 'tags', partition: 1, offset: 9_007_199_254, records: 3, reason: 'skipped' }],
      notes: ['a note'],
    });
  });

  test('unknown completeness is not zero', () => {
    expect(readQueryAnswer({ complete_through: null }).completeThroughMs).toBeUndefined();
    expect(readQueryAnswer({ complete_through: 0 }).completeThroughMs).toBe(0);
  });

  test('a status is read in either spelling, without the fields that protobuf omits', () => {
    const status = readStatus({
      points: [{ partition: 1, watermarkMs: 5, lanes: [{ session: 'ab', open: true }] }, { log_next: '12' }],
      sessions: [
        {
          session: 'ab',
          rejected_points: { metric_too_long: 3 },
          refused: [{ reason: 'x', count: '3', last_ms: '7' }],
        },
      ],
      nowMs: 10,
    });
    expect(status.points.map(({ partition, logNext, watermarkMs }) => [partition, logNext, watermarkMs])).toEqual([
      [0, 12, undefined],
      [1, 0, 5],
    ]);
    expect(status.sessions[0].rejectedPoints).toEqual({ metric_too_long: 3 });
    expect(status.sessions[0].refused).toEqual([
      { ...{ stage: '', client: '', reason: 'x', count: 3, example: '' }, sinceMs: undefined, lastMs: 7 },
    ]);
  });

  test('the readers throw on no JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        for (const read of [readQueryAnswer, readMetrics, readMeaning, readTagKeys, readStatus]) read(json);
        errorOfReply(400, json);
      }),
    );
  });
});

describe('errors', () => {
  test('a syntax error has its column and suggestion', () => {
    const error = errorOfReply(400, {
      errors: ['query, column 5: found "sytem", expected a metric'],
      detail: { column: 5, suggestion: 'system' },
    });
    expect([error.kind, error.place]).toEqual(['refused', { column: 5, suggestion: 'system' }]);
    expect(errorOfReply(400, { errors: ['query, column 7: no'] }).place?.column).toBe(7);
    expect(errorOfReply(400, { errors: ['too many series'] }).place).toBeUndefined();
  });

  test('an unreachable server is distinguished from one that rejects the request', async () => {
    const client = (reply: () => Promise<Response>) =>
      new ApiClient({ baseUrl: 'http://x', fetch: reply as typeof fetch, key: () => '' });
    const kind = (reply: () => Promise<Response>) =>
      client(reply)
        .status()
        .catch((error) => error.kind);
    expect(await kind(async () => Promise.reject(new TypeError('refused')))).toBe('away');
    expect(await kind(async () => new Response('<html>', { status: 200 }))).toBe('away');
    expect(await kind(async () => new Response('{}', { status: 503 }))).toBe('away');
    expect(await kind(async () => new Response('{}', { status: 401 }))).toBe('denied');
    expect(await kind(async () => new Response('{}', { status: 400 }))).toBe('refused');
  });

  test('a request has the key, and the range in seconds', async () => {
    const asked: [string, RequestInit | undefined][] = [];
    const client = new ApiClient({
      baseUrl: '',
      key: () => 'k1',
      fetch: (async (url: string, init?: RequestInit) => {
        asked.push([url, init]);
        return new Response('{"series":[]}');
      }) as typeof fetch,
    });
    await client.query('avg:a{*}', 1_500, 2_500);
    expect(asked[0][0]).toBe('/api/v1/query?query=avg%3Aa%7B*%7D&from=1.5&to=2.5');
    expect(asked[0][1]?.headers).toMatchObject({ authorization: 'Bearer k1' });
  });
});
