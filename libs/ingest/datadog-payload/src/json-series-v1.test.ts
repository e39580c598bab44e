import { expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { DEFAULT_DATADOG_LIMITS, openPayload } from './index.ts';
import { jsonBody } from './metric-payload.fixture.ts';
import { RecordingSink } from './recording-sink.fixture.ts';

const T = 1_700_000_000;

test('types by name become kinds, and host and device become tags', async () => {
  const points = [[T, 0.3]];
  const { points: read, refusals } = await take([
    {
      metric: 'plain',
      points: [
        [T, 1.5],
        [T + 0.25, 2],
      ],
      host: 'web-1',
      tags: ['env:prod'],
    },
    { metric: 'depth', type: 'gauge', points, device: 'sda1', host: null, interval: null, tags: null },
    { metric: 'jobs', type: 'count', points: [[T, 7]], interval: 10 },
    { metric: 'old', type: 'Counter', points: [[T, 7]] },
    { metric: 'hits', type: 'rate', points, interval: 10 },
    { metric: 'flow', type: 'rate', points },
    { metric: 'empty', type: '', points, host: '', source_type_name: 'System' },
  ]);
  const ms = T * 1000;
  expect(read).toEqual([
    `gauge plain{env:prod,host:web-1} ${ms} 1.5`,
    `gauge plain{env:prod,host:web-1} ${ms + 250} 2`,
    `gauge depth{device:sda1} ${ms} 0.3`,
    `count jobs{} ${ms} 7`,
    `count old{} ${ms} 7`,
    `count hits{} ${ms} 3`,
    `gauge flow{} ${ms} 0.3`,
    `gauge empty{} ${ms} 0.3`,
  ]);
  expect(refusals).toEqual([]);
});

test('a wrong field is refused by name, and the other series are read', async () => {
  const points = [[T, 1]];
  const {
    points: read,
    refusals,
    examples,
  } = await take([
    'text',
    { metric: 5, points },
    {
      metric: 'a',
      type: 'histogram',
      points: [
        [T, 1],
        [T, 2],
      ],
    },
    { metric: 'b', points: 'many' },
    { metric: 'c', host: 5, points },
    { metric: 'd', device: {}, points },
    { metric: 'e', tags: ['a', 5], points },
    { metric: 'f', points: [7, [T], ['x', 1], [T, '1'], [T, null], [T, 1, 5]] },
    { metric: 'g', type: 'rate', interval: -1, points },
    { metric: 'h', tags: 'a:b,c:d', points },
    { metric: 'good', points },
  ]);
  expect(read).toEqual([`gauge f{} ${T * 1000} 1`, `gauge good{} ${T * 1000} 1`]);
  expect(refusals).toEqual([
    '1 series_invalid (series: an object)',
    '1 metric_invalid (metric: a string)',
    '2 type_unknown (type: gauge, count or rate)',
    '1 points_invalid (points: a list)',
    '1 host_invalid (host: a string)',
    '1 device_invalid (device: a string)',
    '2 tags_invalid (tags: a list of strings)',
    '2 timestamp_invalid (points.timestamp: seconds since the epoch)',
    '3 value_invalid (points.value: a number)',
    '1 interval_invalid (interval: 0 to 86400 seconds)',
  ]);
  expect(examples).toContain('type "histogram" of metric a');
  expect(examples).toContain('timestamp missing of metric f');
  for (const [seconds, shown] of [
    ['x', '"x"'],
    [1e300, '1e+300'],
  ]) {
    expect((await take([{ metric: 'a', points: [[seconds, 1]] }])).examples).toEqual([
      `timestamp ${shown} of metric a`,
    ]);
  }
});

test.each(['application/json', 'text/json', 'text/json; charset=utf-8', undefined])(
  'the content type %s is JSON',
  async (contentType) => {
    expect((await take([{ metric: 'm', points: [[T, 1]] }], contentType)).points).toHaveLength(1);
  },
);

test('protobuf is refused: agents send it to version 2', async () => {
  await expect(take([], 'application/x-protobuf')).rejects.toMatchObject({
    detail: { reason: 'content_type', limit: 'application/json, text/json' },
  });
});

async function take(series: readonly unknown[], contentType: string | undefined = 'text/json'): Promise<RecordingSink> {
  const sink = new RecordingSink();
  const request = { form: 'seriesV1', body: jsonBody(series), contentType, contentEncoding: undefined } as const;
  finishAtOnce((await openPayload({ ...request, receivedMs: 0 }, DEFAULT_DATADOG_LIMITS))(sink));
  return sink;
}
