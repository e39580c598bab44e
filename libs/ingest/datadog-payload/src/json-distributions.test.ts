import { expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { DEFAULT_DATADOG_LIMITS, openPayload } from './index.ts';
import { jsonBody } from './metric-payload.fixture.ts';
import { RecordingSink } from './recording-sink.fixture.ts';

const T = 1_700_000_000;

test('the values of a point become one sketch, and the host a tag', async () => {
  const { points, refusals } = await take([
    {
      metric: 'latency',
      points: [
        [T, [1, 2, 3]],
        [T + 10, [-5]],
      ],
      host: 'web-1',
      tags: ['env:prod'],
    },
    { metric: 'one', type: 'distribution', points: [[T, 4]] },
  ]);
  expect(points).toEqual([
    `distribution latency{env:prod,host:web-1} ${T * 1000} 3 1 3 6`,
    `distribution latency{env:prod,host:web-1} ${T * 1000 + 10_000} 1 -5 -5 -5`,
    `distribution one{} ${T * 1000} 1 4 4 4`,
  ]);
  expect(refusals).toEqual([]);
});

test('a wrong value is refused alone, and its point keeps the others', async () => {
  const { points, refusals } = await take([
    { metric: 'a', points: [[T, [1, '2', null, 3]], [T, []], ['x', [1]], 5] },
    { metric: 'b', type: 'gauge', points: [[T, [1]]] },
    { metric: 'c', points: [[T, [Number.NaN]]] },
    { points: [[T, [1]]] },
  ]);
  expect(points).toEqual([`distribution a{} ${T * 1000} 2 1 3 4`]);
  expect(refusals).toEqual([
    '1 timestamp_invalid (points.timestamp: seconds since the epoch)',
    '5 value_invalid (points.value: a number)',
    '1 type_unknown (type: distribution)',
    '1 metric_invalid (metric: a string)',
  ]);
});

test('more sketches than allowed are refused with the request', async () => {
  const points = Array.from({ length: 11 }, (_, i) => [T + i, [1]]);
  await expect(take([{ metric: 'm', points }], { sketches: 10 })).rejects.toMatchObject({
    detail: { reason: 'body_too_large', field: 'sketches', limit: 10 },
  });
});

async function take(series: readonly unknown[], limits: { sketches?: number } = {}): Promise<RecordingSink> {
  const sink = new RecordingSink();
  const request = { form: 'distributions', body: jsonBody(series), contentType: 'text/json' } as const;
  const opened = await openPayload(
    { ...request, contentEncoding: undefined, receivedMs: 0 },
    { ...DEFAULT_DATADOG_LIMITS, ...limits },
  );
  finishAtOnce(opened(sink));
  return sink;
}
