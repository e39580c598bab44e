import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { KIND, type KindName, type MetricChange } from '@tidemark/model';
import { finishAtOnce, isTidemarkError } from '@tidemark/ports';
import { LabelMemory, LabelTable } from '@tidemark/series-memory';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { DEFAULT_REMOTE_WRITE_LIMITS } from './remote-write-limits.ts';
import { WriteBody } from './write-body.ts';
import { WriteDecoder } from './write-decoder.ts';
import { label, STALE, sample, timeSeries, type WrittenSeries, writeRequest } from './write-request.fixture.ts';

interface NamedSeries {
  readonly metric: string;
  readonly kind: KindName;
  readonly tags: readonly string[];
}

/** A sink that returns handles as an intake does: one per series, with its tags in any order. */
class Sink {
  readonly described: [string, MetricChange][] = [];
  readonly names: string[] = [];
  readonly #handles = new Map<string, number>();
  /** Number of times that a series was named to the sink. */
  asked = 0;
  readonly rejected: Record<string, number> = {};
  readonly leftOut: Record<string, number> = {};

  series({ metric, kind, tags }: NamedSeries): number {
    this.asked++;
    const name = `${metric} ${kind} ${[...tags].sort().join(',')}`;
    const known = this.#handles.get(name) ?? this.names.push(name) - 1;
    this.#handles.set(name, known);
    return known;
  }

  isRefused(handle: number): boolean {
    return this.names[handle].startsWith('refused');
  }

  reject(reason: string, _field: string, _limit: string, points: number): void {
    this.rejected[reason] = (this.rejected[reason] ?? 0) + points;
  }

  describe(metric: string, change: MetricChange): void {
    this.described.push([metric, change]);
  }

  leaveOut(reason: string, count: number): void {
    this.leftOut[reason] = (this.leftOut[reason] ?? 0) + count;
  }
}

/** Sets up a decoder with blocks of 1 KiB, so that few series fill a table. */
function setUp(rememberedBytes = 1 << 20, maxSamples = 100_000) {
  const decoder = new WriteDecoder({ ...DEFAULT_REMOTE_WRITE_LIMITS, labels: 20 });
  const memory = new LabelMemory(rememberedBytes, KEY, 1024);
  const table = new LabelTable(memory);
  const body = new WriteBody(memory);
  const sink = new Sink();
  /** [series, time, value] of each sample. */
  const decode = (raw: Uint8Array) => {
    finishAtOnce(body.uncompress([compressSync(raw)], 1 << 26, maxSamples));
    const { handles, timesMs, values, length } = finishAtOnce(decoder.decode(body, table, sink));
    return Array.from({ length }, (_, i) => [sink.names[handles[i]], timesMs[i], values[i]]);
  };
  return { decode, table, sink };
}

const KEY = Buffer.alloc(16, 7);
const T = 1_790_000_000_000;

function one(name: string, ...samples: [number, number | Float64Array][]): WrittenSeries {
  return {
    labels: [
      ['__name__', name],
      ['a', 'b'],
    ],
    samples,
  };
}

describe('requests', () => {
  test('a request returns its samples in order, with all bits', () => {
    const { decode, sink } = setUp();
    const values = [0, -0, 1.5, -1e308, 5e-324, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53];
    const times = [T, 0, -1, -(2 ** 40), 127, 128, 2 ** 42, 2 ** 52];
    const samples = values.map((value, i): [number, number] => [times[i], value]);
    const raw = writeRequest([one('m', ...samples), one('n_total', [T, 1])]);
    expect(decode(raw)).toEqual([...samples.map((each) => ['m reading a:b', ...each]), ['n_total reading a:b', T, 1]]);
    expect(Object.is(decode(raw)[1][2], -0)).toBe(true);
    expect(sink).toMatchObject({ rejected: {}, leftOut: {} });
  });

  test('a series is named once, then found by the bytes of its labels', () => {
    const { decode, sink, table } = setUp();
    const names = Array.from({ length: 2000 }, (_, i) => `metric_${i}`);
    const round = (order: readonly string[], i: number) => decode(writeRequest(order.map((name) => one(name, [T, i]))));
    round(names, 0);
    expect([sink.asked, table.size]).toEqual([2000, 2000]);
    // The series come in the same order, backwards, in part, and with others between them.
    const orders = [names, names.toReversed(), names.slice(500, 700), names.filter((_, i) => i % 3 > 0), names];
    for (const [i, order] of orders.entries()) {
      expect(round(order, i)).toEqual(order.map((name) => [`${name} reading a:b`, T, i]));
    }
    expect(sink.asked).toBe(2000);
    expect(round(['metric_1', 'new', 'metric_2'], 9).map(([name]) => name)).toEqual(
      ['metric_1', 'new', 'metric_2'].map((name) => `${name} reading a:b`),
    );
    expect(sink.asked).toBe(2001);
  });

  test('series with labels in common, at the same places or others, keep their own', () => {
    const value = fc.constantFrom('', '0', '1', '10');
    const labels = fc
      .tuple(fc.constantFrom('m', 'n'), fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value))
      .chain(([metric, rest]) => {
        const all: [string, string][] = Object.entries({ ...rest, __name__: metric });
        return fc.shuffledSubarray(all, { minLength: all.length });
      });
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 30 }), (series) => {
        const { decode } = setUp();
        const found = decode(writeRequest(series.map((one, i) => ({ labels: one, samples: [[T, i]] }))));
        const names = series.map((one) => {
          const tags = one.filter(([name, text]) => name !== '__name__' && text !== '').map((pair) => pair.join(':'));
          return `${new Map(one).get('__name__')} reading ${tags.sort().join(',')}`;
        });
        expect(found).toEqual(names.map((name, i) => [name, T, i]));
      }),
    );
  });

  test('all orders of labels are one series, and labels without a value are ignored', () => {
    const { decode, sink } = setUp();
    const labels: [string, string][] = [
      ['__name__', 'm'],
      ['x', '1'],
      ['y', '2'],
      ['z', ''],
    ];
    const orders = [labels, labels.toReversed(), labels.slice(0, 3)];
    const raw = writeRequest(orders.map((order, i) => ({ labels: order, samples: [[T, i]] })));
    expect(decode(raw)).toEqual([0, 1, 2].map((value) => ['m reading x:1,y:2', T, value]));
    expect(sink.names).toHaveLength(1);
  });

  test('metadata says kind, unit and help of each metric of a family, wherever it stands', () => {
    const { decode, sink } = setUp();
    const metadata = (type: number, family: string, unit: string) =>
      field(
        0x1a,
        Buffer.concat([
          Buffer.of(0x08, type),
          field(0x12, Buffer.from(family)),
          field(0x22, Buffer.from('help')),
          field(0x2a, Buffer.from(unit)),
        ]),
      );
    const raw = [
      metadata(3, 'h', 'seconds'),
      writeRequest([one('g', [T, 1])]),
      metadata(2, 'g', ''),
      metadata(99, 'x', ''),
    ];
    expect(decode(Buffer.concat(raw))).toEqual([['g reading a:b', T, 1]]);
    const description = 'help';
    expect(sink.described).toEqual([
      ['h_bucket', { kind: KIND.counter, description }],
      ['h_sum', { kind: KIND.counter, unit: 'seconds', description }],
      ['h_count', { kind: KIND.counter, description }],
      ['g', { kind: KIND.gauge, description }],
      ['x', { description }],
    ]);
  });

  test('no kind follows from the name of a metric', () => {
    const { decode } = setUp();
    for (const name of ['http_requests_total', 'aws_elb_request_count_sum', 'load']) {
      expect(decode(writeRequest([one(name, [T, 1])]))).toEqual([[`${name} reading a:b`, T, 1]]);
    }
  });

  test('a request may have fields in any order, unknown fields, and labels between samples', () => {
    const { decode } = setUp();
    const name = label('__name__', 'm');
    const other = label('x', '1');
    const series = Buffer.concat([
      field(0x12, sample(T, 1)),
      field(0x0a, name),
      field(0x7a, Buffer.from('unknown')),
      field(0x12, sample(T + 1, 2)),
      field(0x0a, other),
      field(0x12, sample(T + 2, 3)),
    ]);
    // The same labels without the last precede it, so the labels after the samples matter.
    const plain = timeSeries({ labels: [['__name__', 'm']], samples: [[T, 9]] });
    const late = Buffer.concat([plain, field(0x0a, other)]);
    const raw = Buffer.concat([plain, series, late, plain, late].map((each) => field(0x0a, each)));
    for (let round = 0; round < 3; round++) {
      expect(decode(Buffer.concat([field(0x3a, Buffer.alloc(300)), raw, Buffer.of(0x20, 1)]))).toEqual([
        ['m reading ', T, 9],
        ['m reading x:1', T, 1],
        ['m reading x:1', T + 1, 2],
        ['m reading x:1', T + 2, 3],
        ['m reading x:1', T, 9],
        ['m reading ', T, 9],
        ['m reading x:1', T, 9],
      ]);
    }
  });

  test('a request keeps duplicate and out-of-order samples, which the store resolves', () => {
    const { decode } = setUp();
    const raw = writeRequest([one('m', [T, 1], [T, 2], [T - 5, 3]), one('m', [T - 9, 4])]);
    expect(decode(raw).map(([, timeMs, value]) => [Number(timeMs) - T, value])).toEqual([
      [0, 1],
      [0, 2],
      [-5, 3],
      [-9, 4],
    ]);
  });
});

describe('left-out and refused data', () => {
  test('stale markers are samples, and other NaNs and exemplars are counted separately', () => {
    const { decode, sink } = setUp();
    const series: WrittenSeries = {
      labels: [['__name__', 'm']],
      samples: [
        [T, STALE],
        [T, Number.NaN],
        [T, 1],
      ],
      more: [[0x1a, Buffer.of(0x10, 1)]],
    };
    const raw = writeRequest([series, series]);
    const samples = [
      ['m reading ', T, Number.NaN],
      ['m reading ', T, 1],
    ];
    expect(decode(raw)).toEqual([...samples, ...samples]);
    expect(sink.leftOut).toEqual({ value_nan: 2, exemplar: 2 });
    // The labels are expected now.
    expect(decode(raw)).toHaveLength(4);
    expect(sink.leftOut).toEqual({ value_nan: 4, exemplar: 4 });
    expect(sink.rejected).toEqual({});
  });

  test('native histograms are refused, and a series with nothing else is not created', () => {
    const { decode, sink } = setUp();
    const more: WrittenSeries['more'] = [
      [0x22, Buffer.of(0x78, 1)],
      [0x22, Buffer.of()],
    ];
    const only: WrittenSeries = { labels: [['__name__', 'native']], samples: [], more };
    expect(decode(writeRequest([only, { ...one('both', [T, 1]), more }]))).toEqual([['both reading a:b', T, 1]]);
    expect(sink.rejected).toEqual({ native_histogram: 4 });
    expect(sink.names).toEqual(['both reading a:b']);
  });

  test.each<[string, WrittenSeries['labels']]>([
    ['labels_without_name', [['job', 'a']]],
    [
      'labels_without_name',
      [
        ['__name__', ''],
        ['job', 'a'],
      ],
    ],
    ['labels_without_name', []],
    [
      'label_name_empty',
      [
        ['__name__', 'm'],
        ['', 'a'],
      ],
    ],
    [
      'label_repeated',
      [
        ['__name__', 'm'],
        ['a', 'b'],
        ['a', 'b'],
      ],
    ],
    [
      'label_repeated',
      [
        ['__name__', 'm'],
        ['__name__', 'm'],
      ],
    ],
    [
      'label_repeated',
      [
        ['__name__', 'm'],
        ['a', '1'],
        ['c', '2'],
        ['b', '3'],
        ['c', '4'],
      ],
    ],
    ['too_many_labels', Array.from({ length: 21 }, (_, i) => [i === 0 ? '__name__' : `n${i}`, 'v'] as const)],
  ])('a series is refused for %s, and the others are kept', (reason, labels) => {
    const { decode, sink } = setUp();
    const bad: WrittenSeries = {
      labels,
      samples: [
        [T, 1],
        [T + 1, 2],
      ],
    };
    for (let round = 1; round <= 2; round++) {
      const kept = decode(writeRequest([one('good', [T, 1]), bad, one('fine', [T, 2])]));
      expect(kept).toEqual([
        ['good reading a:b', T, 1],
        ['fine reading a:b', T, 2],
      ]);
      expect(sink.rejected).toEqual({ [reason]: 2 * round });
    }
  });

  test('bad labels of a series without numbers are not counted as refused', () => {
    const { decode, sink } = setUp();
    expect(decode(writeRequest([{ labels: [['job', 'a']], samples: [[T, Number.NaN]] }]))).toEqual([]);
    expect(sink).toMatchObject({ rejected: {}, leftOut: { value_nan: 1 } });
  });

  test('a request with millions of empty samples is refused before memory is reserved for them', () => {
    const { decode, table } = setUp(1 << 20, 2000);
    const labels: WrittenSeries['labels'] = [['__name__', 'm']];
    // Each sample has a time of zero and a value of zero: two bytes.
    const empty = (samples: number) =>
      field(
        0x0a,
        Buffer.concat([timeSeries({ labels, samples: [] }), Buffer.alloc(samples * 2, field(0x12, Buffer.of()))]),
      );
    expect(decode(empty(2000))).toHaveLength(2000);
    const raw = empty(8_000_000);
    const detail = { reason: 'request_too_large', field: 'requestPoints', limit: 2000 };
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decode(raw)).toThrow(expect.objectContaining({ code: 'invalid_argument', detail }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    expect([table.size, decode(empty(2000)).length]).toEqual([1, 2000]);
  });

  test('a series that the intake refuses is not stored', () => {
    const { decode, sink, table } = setUp();
    for (let round = 0; round < 2; round++) {
      expect(decode(writeRequest([one('refused', [T, 1]), one('m', [T, 1])]))).toHaveLength(2);
    }
    expect([sink.asked, table.size]).toEqual([3, 1]);
  });

  test.each<[string, Buffer]>([
    ['a length beyond the end', Buffer.of(0x0a, 5, 1)],
    ['a tag without a value', Buffer.of(0x0a)],
    ['a number without an end', Buffer.of(0x0a, 0x80)],
    ['a number of eleven bytes', Buffer.concat([Buffer.of(0x18), Buffer.alloc(11, 0x80)])],
    ['a length beyond all bounds', Buffer.concat([Buffer.of(0x0a), Buffer.alloc(7, 0xff), Buffer.of(0x7f)])],
    ['a group', Buffer.of(0x0b)],
    ['field 0', Buffer.of(0x02, 0)],
    ['a series that is not a message', field(0x0a, Buffer.of(0x0a, 9))],
    [
      'a label that is not a message',
      field(0x0a, Buffer.concat([field(0x0a, Buffer.of(0x0a, 9)), field(0x12, sample(T, 1))])),
    ],
    [
      'a sample with half a value',
      field(0x0a, Buffer.concat([field(0x0a, label('__name__', 'm')), field(0x12, Buffer.of(0x09, 1))])),
    ],
    [
      'a time without an end',
      field(0x0a, Buffer.concat([field(0x0a, label('__name__', 'm')), field(0x12, Buffer.of(0x10, 0xff))])),
    ],
  ])('%s is malformed, and no part of the request counts', (_, bad) => {
    const { decode, sink } = setUp();
    const good = writeRequest([one('m', [T, 1])]);
    for (const raw of [bad, Buffer.concat([good, bad])]) {
      let caught: unknown;
      try {
        decode(raw);
      } catch (error) {
        caught = error;
      }
      expect(isTidemarkError(caught, 'invalid_argument') && caught.detail.reason).toBe('protobuf_malformed');
    }
    expect(sink).toMatchObject({ rejected: {}, leftOut: {} });
    expect(decode(good)).toEqual([['m reading a:b', T, 1]]);
  });
});

describe('stored labels', () => {
  test('a full table starts again and confuses no series', () => {
    const { decode, sink, table } = setUp(3 * 1024);
    const names = Array.from({ length: 200 }, (_, i) => `metric_${i}`);
    for (let round = 0; round < 5; round++) {
      const order = round % 2 === 0 ? names : names.toReversed();
      expect(decode(writeRequest(order.map((name) => one(name, [T, round]))))).toEqual(
        order.map((name) => [`${name} reading a:b`, T, round]),
      );
      expect(table.blocks).toBeLessThanOrEqual(3);
    }
    expect(sink.names).toHaveLength(200);
  });

  test('labels larger than a block are not stored', () => {
    const { decode, sink, table } = setUp();
    const long = one('a'.repeat(1200), [T, 1]);
    for (let round = 0; round < 2; round++) expect(decode(writeRequest([long, one('m', [T, 2])]))).toHaveLength(2);
    expect([sink.asked, table.size]).toEqual([3, 1]);
  });

  test('compiled code distinguishes expected labels by every byte', () => {
    for (let length = 1; length < 60; length++) {
      const { decode, sink } = setUp();
      const name = 'a'.repeat(length);
      const others = Array.from({ length }, (_, i) => `${name.slice(0, i)}b${name.slice(i + 1)}`);
      decode(writeRequest([one('first', [T, 0]), one(name, [T, 0])]));
      for (const other of others) {
        const names = ['first', other, 'first', name];
        expect(decode(writeRequest(names.map((each) => one(each, [T, 1])))).map(([series]) => series)).toEqual(
          names.map((each) => `${each} reading a:b`),
        );
      }
      expect(sink.asked).toBe(2 + others.length);
    }
  });
});

test('memory of a large body is released, and the next body is read', () => {
  const memory = new LabelMemory(1 << 20, KEY);
  const body = new WriteBody(memory);
  finishAtOnce(body.uncompress([compressSync(Buffer.alloc(8 << 20))], 1 << 26, 4 << 20));
  const { buffer } = body.raw;
  body.release();
  finishAtOnce(body.uncompress([compressSync(Buffer.of(1, 2, 3))], 1 << 26, 10));
  expect([...body.raw]).toEqual([1, 2, 3]);
  expect(buffer.byteLength).toBeGreaterThan(64 << 20);
  expect(body.raw.buffer.byteLength).toBeLessThan(1 << 20);
});

function field(tag: number, bytes: Uint8Array): Buffer {
  if (bytes.length >= 0x80)
    return Buffer.concat([Buffer.of(tag, (bytes.length & 0x7f) | 0x80, bytes.length >> 7), bytes]);
  return Buffer.concat([Buffer.of(tag, bytes.length), bytes]);
}

describe('a body is decoded in slices', () => {
  const SLICE = 256;
  const filled = (bytes: number, part: readonly number[]): Buffer =>
    Buffer.alloc(Math.floor(bytes / part.length) * part.length, Buffer.from(part));
  const message = (tag: number, ...parts: Buffer[]): Buffer => {
    const out = new ByteWriter();
    out.u8(tag);
    out.varint(Buffer.concat(parts).length);
    out.bytes(Buffer.concat(parts));
    return out.take();
  };
  const SAMPLE = Buffer.of(0x12, 0);
  const BYTES = 64 * SLICE;
  test.each([
    ['unknown numbers', filled(BYTES, [0x20, 0x20])],
    ['unknown numbers of ten bytes', filled(BYTES, [0x20, ...Array(9).fill(0xff), 1])],
    ['unknown texts', filled(BYTES, [0x22, 0])],
    ['empty series', filled(BYTES, [0x0a, 0])],
    ['series of one sample', filled(BYTES, [0x0a, 2, 0x12, 0])],
    ['metadata', filled(BYTES, [0x1a, 5, 0x12, 1, 0x61, 0x22, 0])],
    ['samples of one series', message(0x0a, filled(BYTES, [0x12, 0]))],
    ['labels of one series', message(0x0a, filled(BYTES, [0x0a, 3, 0x0a, 1, 0x61]), SAMPLE)],
    ['labels behind a sample', message(0x0a, SAMPLE, filled(BYTES, [0x0a, 3, 0x0a, 1, 0x61]))],
    ['unknown fields of one series', message(0x0a, SAMPLE, filled(BYTES, [0x20, 0x20]))],
    ['exemplars of one series', message(0x0a, filled(BYTES, [0x1a, 0]))],
  ])('%s', (_, raw) => {
    const memory = new LabelMemory(1 << 20, KEY, 1024);
    const table = new LabelTable(memory);
    const body = new WriteBody(memory, SLICE);
    const decoder = new WriteDecoder(DEFAULT_REMOTE_WRITE_LIMITS, SLICE);
    const countOf = (work: Generator<undefined, unknown>): number => [...work].length;
    expect(countOf(body.uncompress([compressSync(raw)], 1 << 26, 100_000))).toBeGreaterThanOrEqual(60);
    expect(countOf(decoder.decode(body, table, new Sink()))).toBeGreaterThanOrEqual(60);
  });

  test.each([
    ['a sample', message(0x0a, message(0x12, filled(8192, [0x20, 1]))), 'protobuf: sample of 8192 bytes'],
    ['a label', message(0x0a, message(0x0a, filled(70_000, [0x0a, 0])), SAMPLE), undefined],
    ['metadata', message(0x1a, filled(70_000, [0x12, 0])), undefined],
  ])('%s that is far too long is not read', (name, raw, error) => {
    const { decode, sink } = setUp();
    if (error !== undefined) expect(() => decode(raw)).toThrow(error);
    else {
      expect(decode(raw)).toEqual([]);
      expect(name === 'metadata' ? sink.leftOut : sink.rejected).toEqual(
        name === 'metadata' ? { metadata: 1 } : { label_too_long: 1 },
      );
    }
  });
});
