import { describe, expect, test } from '@jest/globals';
import {
  AggregateReply,
  AggregateRequest,
  DescribeTagsReply,
  MatchReply,
  MatchRequest,
  SeriesTagsReply,
} from '@tidemark/contract';
import { SERIES_CLASS } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import fc from 'fast-check';
import { decodedInPieces, encodedInPieces, type MessageCodec } from './message-pieces.ts';
import { requestedPartition } from './sliced-call.ts';
import { topLevelFields } from './top-level-fields.ts';

interface Generated<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

function codecOf<T>({ encode, decode }: Generated<T>): MessageCodec {
  return { encode: (message) => Buffer.from(encode(message as T).finish()), decode: (bytes) => decode(bytes) };
}

function many<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

const GAPS = many(70, (offset) => ({ topic: 'tags', partition: 1, offset, reason: 'odd', records: offset + 1 }));

function groupsOf(count: number) {
  const classes = [SERIES_CLASS.reading, SERIES_CLASS.count, SERIES_CLASS.distribution];
  return many(count, (i) => ({ tags: [`host:${i}`], series: Buffer.alloc(i % 40, i), seriesClass: classes[i % 3] }));
}

const MESSAGES: readonly (readonly [name: string, codec: MessageCodec, message: unknown])[] = [
  ['no lists', codecOf(MatchReply), MatchReply.create({ tagsOffset: 7, metricId: Buffer.alloc(16, 9) })],
  [
    'many groups, and what a metric states',
    codecOf(MatchReply),
    MatchReply.create({
      ...{ groups: groupsOf(3000), metricId: Buffer.alloc(16, 9), classes: [1, 2], tagsOffset: 12_345, gaps: GAPS },
      metadata: { protocol: { unit: 'byte' }, user: { description: '' } },
    }),
  ],
  [
    'many sets',
    codecOf(AggregateRequest),
    AggregateRequest.create({
      ...{ partition: 3, tenant: 'acme', fromMs: -5, toMs: 9, stepMs: 1, maxPoints: 5 },
      groups: many(5000, (i) => ({ digest: Buffer.alloc(16, i), series: Buffer.alloc(0) })),
    }),
  ],
  [
    'large partials',
    codecOf(AggregateReply),
    AggregateReply.create({
      ...{ offset: 4, watermarkMs: 0, era: -1, gaps: GAPS, restarts: 3 },
      groups: many(100, (i) => ({
        ...{ count: Buffer.alloc(4000, i), sum: Buffer.alloc(9), sumRest: Buffer.alloc(0), min: Buffer.alloc(0) },
        ...{ max: Buffer.alloc(0), last: Buffer.alloc(0), lastTime: Buffer.alloc(0), sketches: [Buffer.alloc(5)] },
      })),
    }),
  ],
  [
    'one field that is larger than a piece',
    codecOf(MatchReply),
    MatchReply.create({ groups: [{ tags: [], series: Buffer.alloc(100_000, 1), seriesClass: 1 }], tagsOffset: 1 }),
  ],
  [
    'names',
    codecOf(SeriesTagsReply),
    SeriesTagsReply.create({ series: many(900, (i) => ({ metric: `m${i}`, kind: 1, tags: ['a', 'b:c'] })) }),
  ],
  [
    'keys',
    codecOf(DescribeTagsReply),
    DescribeTagsReply.create({ keys: many(900, (i) => ({ key: `k${i}`, values: i, series: i, top: [] })) }),
  ],
];

describe.each(MESSAGES)('a message with %s', (_, codec, message) => {
  test('comes back from pieces, and from its encoding at once', () => {
    const bytes = finishAtOnce(encodedInPieces(codec, message));
    const expected = codec.encode(message);
    for (const decoded of [
      codec.decode(bytes),
      finishAtOnce(decodedInPieces(codec, bytes)),
      finishAtOnce(decodedInPieces(codec, expected)),
    ]) {
      expect(codec.encode(decoded).equals(expected)).toBe(true);
    }
  });

  test('that is cut off is refused as at once', () => {
    const bytes = codec.encode(message);
    const cut = bytes.subarray(0, bytes.length - 1);
    expect(() => codec.decode(cut)).toThrow();
    expect(() => finishAtOnce(decodedInPieces(codec, cut))).toThrow();
  });
});

test('no piece of a long message costs much', () => {
  const codec = codecOf(MatchReply);
  const work = encodedInPieces(codec, MatchReply.create({ groups: groupsOf(20_000) }));
  const costs: number[] = [];
  let step = work.next();
  for (; step.done !== true; step = work.next()) costs.push(step.value);
  const decoding = decodedInPieces(codec, step.value);
  for (let next = decoding.next(); next.done !== true; next = decoding.next()) costs.push(next.value);
  expect(costs.length).toBeGreaterThan(300);
  expect(Math.max(...costs)).toBeLessThan(20_000);
});

describe('the fields of an encoded message', () => {
  test('any bytes end them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let at = 0;
        for (const { start, valueStart, end } of topLevelFields(bytes)) {
          expect(start).toBe(at);
          expect(valueStart).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(bytes.length);
          at = end;
        }
      }),
    );
  });

  test('name the partition and the tenant of a request', () => {
    const ofTags = MatchRequest.encode(MatchRequest.create({ partition: 300, tenant: 'acme', metric: 'cpu' })).finish();
    expect(requestedPartition(ofTags)).toEqual({ partition: 300, tenant: 'acme' });
    const ofNone = AggregateRequest.encode(AggregateRequest.create({ metricId: Buffer.alloc(16, 2) })).finish();
    expect(requestedPartition(ofNone)).toEqual({ partition: 0 });
    const ofPoints = AggregateRequest.encode(AggregateRequest.create({ tenant: 'acme', stepMs: 4 })).finish();
    expect(requestedPartition(ofPoints)).toEqual({ partition: 0, tenant: 'acme' });
  });
});
