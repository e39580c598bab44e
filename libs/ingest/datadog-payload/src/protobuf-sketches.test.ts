import { expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { DEFAULT_DATADOG_LIMITS, openPayload } from './index.ts';
import { sketchBody } from './metric-payload.fixture.ts';
import { RecordingSink } from './recording-sink.fixture.ts';

const T = 1_700_000_000;
const good = { ts: T, k: [-1338, 0, 1338, 1382], n: [1, 2, 3, 4], min: -1, max: 2, sum: 10 };

test.each([true, false])('sketches become distributions, with packed lists: %s', async (isPacked) => {
  const series = { metric: 'latency', host: 'web-1', tags: ['env:prod', 'dd.internal.x'], sketches: [good] };
  const { points, refusals } = await take(sketchBody([series, { metric: 'm', sketches: [good] }], isPacked));
  expect(points).toEqual([
    `distribution latency{env:prod,host:web-1} ${T * 1000} 10 -1 2 10`,
    `distribution m{} ${T * 1000} 10 -1 2 10`,
  ]);
  expect(refusals).toEqual([]);
});

test('a wrong sketch is refused by its field, and the other sketches of the series are read', async () => {
  const sketches = [
    { ts: T, k: [1, 2], n: [1] },
    { ts: T, k: [32_767], n: [1] },
    { ts: T },
    { ts: 2 ** 53, k: [1], n: [1] },
    good,
  ];
  const { points, refusals, examples } = await take(sketchBody([{ metric: 'm', sketches }]));
  expect(points).toEqual([`distribution m{} ${T * 1000} 10 -1 2 10`]);
  expect(refusals).toEqual([
    '3 sketch_invalid (dogsketches.n: 2, one for each key)',
    '1 timestamp_invalid (points.timestamp: seconds since the epoch)',
  ]);
  expect(examples).toEqual(['metric m', 'metric m']);
});

test('the form of distributions before dogsketches is refused by name', async () => {
  const old = Buffer.from('0a070a016d1a020801', 'hex');
  const { points, refusals } = await take(old);
  expect(points).toEqual([]);
  expect(refusals).toEqual(['1 distribution_form (distributions: sketches in dogsketches)']);
});

test('a content type other than protobuf is refused', async () => {
  await expect(take(sketchBody([]), 'application/json')).rejects.toMatchObject({
    detail: { reason: 'content_type', limit: 'application/x-protobuf, application/protobuf' },
  });
});

async function take(body: Buffer, contentType = 'application/x-protobuf'): Promise<RecordingSink> {
  const sink = new RecordingSink();
  const request = { form: 'sketches', body, contentType, contentEncoding: undefined, receivedMs: 0 } as const;
  finishAtOnce((await openPayload(request, DEFAULT_DATADOG_LIMITS))(sink));
  return sink;
}
