import { describe, expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { DEFAULT_DATADOG_LIMITS, openPayload } from './index.ts';
import { jsonBody, protobufBody, type SentSeries } from './metric-payload.fixture.ts';
import { RecordingSink } from './recording-sink.fixture.ts';

const T = 1_700_000_000;
const limits = { ...DEFAULT_DATADOG_LIMITS, series: 50, points: 200, jsonValues: 2_000, jsonDepth: 6, seriesTags: 120 };

const FORMATS = [
  ['JSON', 'application/json', jsonBody as (series: readonly SentSeries[]) => Buffer],
  ['protobuf', 'application/x-protobuf', protobufBody],
] as const;

describe.each(FORMATS)('%s', (_, contentType, encode) => {
  const read = (series: readonly SentSeries[]) => take(encode(series), contentType);

  test('every type becomes its kind, and a rate the amount of its interval', async () => {
    const { points, refusals } = await read([
      { metric: 'plain', points: [{ timestamp: T, value: 1.5 }] },
      { metric: 'requests', type: 1, interval: 10, points: [{ timestamp: T, value: 7 }] },
      { metric: 'hits', type: 2, interval: 10, points: [{ timestamp: T, value: 0.3 }] },
      { metric: 'flow', type: 2, points: [{ timestamp: T, value: 0.3 }] },
      { metric: 'depth', type: 3, interval: 10, points: [{ timestamp: T, value: -2 }] },
    ]);
    const ms = T * 1000;
    expect(points).toEqual([
      `gauge plain{} ${ms} 1.5`,
      `count requests{} ${ms} 7`,
      `count hits{} ${ms} 3`,
      `gauge flow{} ${ms} 0.3`,
      `gauge depth{} ${ms} -2`,
    ]);
    expect(refusals).toEqual([]);
  });

  test('an interval is stated for amounts, and for gauges where it is not the flush interval of the Agent', async () => {
    const series = [1, 3].flatMap((type) =>
      [0, 1, 10, 15, 86_400, 7 * 86_400, 32 * 86_400].map((interval) => {
        return { metric: `${type}_${interval}`, type, interval, points: [{ timestamp: T, value: 1 }] };
      }),
    );
    const { intervalsMs, refusals } = await read(series);
    expect([...intervalsMs]).toEqual([
      ...[1, 10, 15, 86_400].map((interval) => [`1_${interval}`, interval * 1000]),
      ...[15, 86_400, 7 * 86_400].map((interval) => [`3_${interval}`, interval * 1000]),
    ]);
    // An amount without its interval would be one event.
    expect(refusals).toEqual(['2 interval_invalid (interval: 0 to 86400 seconds)']);
  });

  test('a rate gives a whole amount for any interval if the amount was whole, and other amounts unrounded', async () => {
    for (const interval of [1, 2, 7, 10, 15, 49, 60, 3600]) {
      const whole = Array.from({ length: 99 }, (_one, n) => ({ timestamp: T, value: n / interval }));
      const part = { timestamp: T, value: 0.123456789 };
      const { points } = await read([{ metric: 'm', type: 2, interval, points: [...whole, part] }]);
      const amounts = points.map((point) => Number(point.split(' ').at(-1)));
      expect(amounts).toEqual([...whole.map((_one, n) => n), 0.123456789 * interval]);
    }
  });

  test('resources become tags, and empty or internal tags are left out', async () => {
    const { points, descriptions } = await read([
      {
        metric: 'm',
        tags: ['env:prod', '', ' canary ', 'dd.internal.card:none', 'env:prod'],
        resources: [
          { type: 'host', name: 'web-1' },
          { type: 'device', name: 'sda1' },
          { type: 'host', name: '' },
        ],
        unit: 'byte',
        source_type_name: 'System',
        metadata: { origin: { product: 10 } },
        points: [{ timestamp: T, value: 1 }],
      },
    ]);
    expect(points).toEqual([`gauge m{canary,device:sda1,env:prod,host:web-1} ${T * 1000} 1`]);
    expect(descriptions).toEqual([['m', { unit: 'byte' }]]);
  });

  test('a wrong series is refused with all its points, and the others are kept', async () => {
    const two = [
      { timestamp: T, value: 1 },
      { timestamp: T + 1, value: 2 },
    ];
    const { points, refusals } = await read([
      { metric: '', points: two },
      { metric: 'm'.repeat(201), points: two },
      { metric: 'typed', type: 4, points: two },
      { metric: 'rated', type: 2, interval: -1, points: two },
      { metric: 'slow', type: 2, interval: 86_401, points: two },
      { metric: 'weekly', type: 1, interval: 604_800, points: two },
      { metric: 'counted', type: 1, interval: -5, points: two },
      { metric: 'tagged', tags: [`k:${'v'.repeat(4352)}`], points: two },
      { metric: 'many', tags: Array.from({ length: 101 }, (_one, n) => `k:${n}`), points: two },
      { metric: 'more', tags: Array.from({ length: 121 }, (_one, n) => `k:${n}`), points: two },
      { metric: 'nul', tags: ['a:\u0000'], points: two },
      { metric: 'res', resources: [{ type: '', name: 'x' }], points: two },
      // A series without points has an unknown number in JSON, and none in protobuf, which writes no empty lists.
      { metric: 'none' },
      { metric: 'empty', points: [] },
      { metric: 'good', points: two },
    ]);
    expect(points).toEqual([
      `gauge nul{a:\u0000} ${T * 1000} 1`,
      `gauge nul{a:\u0000} ${(T + 1) * 1000} 2`,
      `gauge good{} ${T * 1000} 1`,
      `gauge good{} ${(T + 1) * 1000} 2`,
    ]);
    expect(refusals).toEqual([
      '2 metric_empty (metric: at least 1 byte)',
      '2 metric_too_long (metric: 200 bytes)',
      '2 type_unknown (type: 0, 1, 2 or 3; 3 is a gauge)',
      '8 interval_invalid (interval: 0 to 86400 seconds)',
      '2 tag_too_long (tag: 4352 bytes)',
      '2 too_many_tags (tags: 100 tags)',
      '2 too_many_tags (tags: 120 tags and resources)',
      '2 resource_type_empty (resources.type: at least 1 byte)',
      ...(contentType === 'application/json' ? ['1 points_invalid (points: a list)'] : []),
    ]);
  });

  test('a request with too many series or points is refused as a whole', async () => {
    await expect(read(Array.from({ length: 51 }, () => ({ metric: 'm', points: [] })))).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: { reason: 'body_too_large', field: 'series', limit: 50 },
    });
    const points = Array.from({ length: 101 }, () => ({ timestamp: T, value: 1 }));
    await expect(read([1, 2].map(() => ({ metric: 'm', points })))).rejects.toMatchObject({
      detail: { reason: 'body_too_large', field: 'points', limit: 200 },
    });
  });

  test('a payload without series is valid', async () => {
    expect(await read([])).toMatchObject({ points: [], refusals: [] });
  });
});

describe('JSON', () => {
  test('a field of the wrong type is refused by its name', async () => {
    const good = { timestamp: T, value: 1 };
    const { points, refusals } = await take(
      jsonBody([
        7,
        null,
        [],
        { points: [good] },
        { metric: 5, points: [good] },
        { metric: 'm', points: {} },
        { metric: 'm' },
        { metric: 'm', type: 'gauge', points: [good] },
        { metric: 'm', type: 2, interval: '10', points: [good] },
        { metric: 'm', tags: 'a:b', points: [good] },
        { metric: 'm', tags: { 0: 'a:b' }, points: [good] },
        { metric: 'm', tags: ['a:b', 5], points: [good, good] },
        { metric: 'm', resources: {}, points: [good] },
        { metric: 'm', resources: [{ type: 'host' }], points: [good] },
        {
          metric: 'mixed',
          type: null,
          tags: null,
          resources: null,
          points: [
            7,
            [T, 1],
            { timestamp: String(T), value: 1 },
            { value: 1 },
            { timestamp: T, value: null },
            { timestamp: T, value: '1' },
            { timestamp: T },
            { timestamp: 1e300, value: 1 },
            { timestamp: T + 0.25, value: 2 },
          ],
        },
      ]),
    );
    expect(refusals).toEqual([
      '3 series_invalid (series: an object)',
      '2 metric_invalid (metric: a string)',
      '2 points_invalid (points: a list)',
      '1 type_unknown (type: 0, 1, 2 or 3; 3 is a gauge)',
      '1 interval_invalid (interval: 0 to 86400 seconds)',
      '4 tags_invalid (tags: a list of strings)',
      '2 resources_invalid (resources: a list of {type, name})',
      '2 points_invalid (points: objects {timestamp, value}; version 1 has [timestamp, value])',
      '3 timestamp_invalid (points.timestamp: seconds since the epoch)',
      '3 value_invalid (points.value: a number)',
    ]);
    expect(points).toEqual([`gauge mixed{} ${T * 1000 + 250} 2`]);
  });

  test('an infinite value such as 1e999 is left to the rules of the intake', async () => {
    const body = Buffer.from(`{"series":[{"metric":"m","points":[{"timestamp":${T},"value":1e999}]}]}`);
    const { refusals, points } = await take(body);
    expect([refusals, points]).toEqual([[], [`gauge m{} ${T * 1000} Infinity`]]);
  });

  test.each([
    ['', /^body: empty$/],
    ['{', /^body: not JSON at position 1$/],
    ['{"series":[', /Unexpected end/],
    ['{"series":[}', /Unexpected token '}'/],
    ['"secret"', /expected an object/],
    ['[]', /expected an object/],
    ['{}', /series: expected a list/],
    ['{"series":{}}', /series: expected a list/],
    [`{"series":${'['.repeat(7)}`, /more than 6 levels deep/],
    ['secret stuff', /Unexpected token 's'/],
    [Buffer.from([0xff, 0xfe, 0x00]), /Unexpected token/],
  ])('a body that is not a payload is refused as a whole: %j', async (body, message) => {
    const failure = take(Buffer.from(body as string));
    await expect(failure).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(message),
      detail: { reason: 'body_malformed' },
    });
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
  });

  test('brackets and commas in strings do not count as values', async () => {
    const metric = `a${'[{,'.repeat(60)}\\"`;
    const { points } = await take(jsonBody([{ metric, points: [{ timestamp: T, value: 1 }] }]));
    expect(points).toEqual([`gauge ${metric}{} ${T * 1000} 1`]);
    const many = Buffer.from(`{"series":[${'0,'.repeat(2_000)}0]}`);
    await expect(take(many)).rejects.toMatchObject({ detail: { reason: 'body_too_large', limit: 2_000 } });
  });
});

describe('protobuf', () => {
  test('golden: the bytes of another encoder (protobuf.js, with the field numbers of agents)', async () => {
    const hex =
      '0a630a0d0a04686f737412057765622d3112087765622e686974731a08656e763a70726f64220f09666666666666e63f1080e2cfaa06' +
      '221409000000000000e0bf10ffffffffffffffffff01280232036869743a0653797374656d400a4a060a041809200a0a1012016d2200' +
      '28ffffffffffffffffff01';
    const { points, refusals } = await take(Buffer.from(hex, 'hex'), 'application/x-protobuf');
    expect(points).toEqual([
      `count web.hits{env:prod,host:web-1} ${T * 1000} 7`,
      'count web.hits{env:prod,host:web-1} -1000 -5',
    ]);
    expect(refusals).toEqual(['1 type_unknown (type: 0, 1, 2 or 3; 3 is a gauge)']);
  });

  test.each([
    ['a length past the end', '0a05'],
    ['a length beyond 32 bits', '0affffffff7f'],
    ['a tag of six bytes', '808080808001'],
    ['field number 0', '0200'],
    ['a group', '0b'],
    ['a number as series', '0801'],
    ['a text as type', '0a020a0012'],
    ['a series that ends within a field', '0a02120501'],
    ['a point longer than its series', '0a0422091100'],
    ['a number of more than ten bytes', '0a0c28ffffffffffffffffffffff01'],
  ])('%s is refused as a whole', async (_, hex) => {
    await expect(take(Buffer.from(hex, 'hex'), 'application/x-protobuf')).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/at byte \d+/),
      detail: { reason: 'body_malformed', field: 'body' },
    });
  });

  test('unknown fields of every wire type are ignored', async () => {
    const [good] = [protobufBody([{ metric: 'm', points: [{ timestamp: T, value: 1 }] }])];
    const unknown = Buffer.from('9001ff01' + '99010102030405060708' + '9a0103616263' + '9d0101020304', 'hex');
    const { points } = await take(Buffer.concat([unknown, good, unknown]), 'application/x-protobuf');
    expect(points).toEqual([`gauge m{} ${T * 1000} 1`]);
  });

  test('times outside of the range of dates and NaN are refused per point, and names must be UTF-8', async () => {
    const points = [
      { timestamp: -1e15, value: 1 },
      { timestamp: Number.MAX_SAFE_INTEGER, value: 1 },
      { timestamp: T, value: Number.NaN },
      { timestamp: T, value: Number.POSITIVE_INFINITY },
      { timestamp: -T, value: -0 },
    ];
    const body = protobufBody([
      { metric: 'm', points },
      { metric: 'xyz', points },
    ]);
    body[body.indexOf('xyz')] = 0xff;
    const sink = await take(body, 'application/protobuf; charset=binary');
    expect(sink.points).toEqual([`gauge m{} ${T * 1000} Infinity`, `gauge m{} ${-T * 1000} -0`]);
    expect(sink.refusals).toEqual([
      '4 timestamp_invalid (points.timestamp: seconds since the epoch)',
      '2 value_nan (points.value: a number)',
      '2 metric_not_utf8 (metric: valid UTF-8)',
    ]);
  });
});

test.each([
  ['"gauge"', 'type "gauge" of metric a'],
  ['4', 'type 4 of metric a'],
])('a series of the type %s is refused with an example', async (type, example) => {
  const body = Buffer.from(`{"series":[{"metric":"a","type":${type},"points":[{"timestamp":${T},"value":1}]}]}`);
  expect((await take(body)).examples).toEqual([example]);
  const timeless = Buffer.from('{"series":[{"metric":"b","points":[{"timestamp":"x","value":1}]}]}');
  expect((await take(timeless)).examples).toEqual(['timestamp "x" of metric b']);
});

test.each(['text/plain', 'application/msgpack', ''])('the content type %j is refused', async (contentType) => {
  await expect(take(jsonBody([]), contentType)).rejects.toMatchObject({
    detail: { reason: 'content_type', field: 'content-type', limit: expect.stringContaining('json') },
  });
});

test('a body without a content type is JSON', async () => {
  expect((await take(jsonBody([]), undefined)).refusals).toEqual([]);
});

async function take(body: Buffer, contentType: string | undefined = 'application/json'): Promise<RecordingSink> {
  const sink = new RecordingSink();
  const request = { form: 'seriesV2', body, contentType, contentEncoding: undefined, receivedMs: T * 1000 } as const;
  finishAtOnce((await openPayload(request, limits))(sink));
  return sink;
}
