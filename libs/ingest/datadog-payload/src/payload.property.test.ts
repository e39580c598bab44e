import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { finishAtOnce, isTidemarkError } from '@tidemark/ports';
import { LabelMemory } from '@tidemark/series-memory';
import fc from 'fast-check';
import { DEFAULT_DATADOG_LIMITS, openPayload, type PayloadForm } from './index.ts';
import { KnownSeries } from './known-series.ts';
import { type FieldOrder, jsonBody, protobufBody, type SentSeries, sketchBody } from './metric-payload.fixture.ts';
import { RecordingSink } from './recording-sink.fixture.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const timestamp = fc.oneof(fc.integer({ min: 1, max: 4_000_000_000 }), fc.maxSafeInteger());
/** Values that JSON keeps: its writers turn -0 into 0. */
const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => (one === 0 ? 0 : one));
const point = fc.record({ timestamp, value });
/** Series that both encodings can represent: sometimes wrong, never malformed. */
const series: fc.Arbitrary<SentSeries> = fc.record(
  {
    metric: text,
    type: fc.integer({ min: -1, max: 5 }),
    interval: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer()),
    tags: fc.array(text, { maxLength: 5 }),
    resources: fc.array(fc.record({ type: text, name: text }), { maxLength: 3 }),
    points: fc.array(point, { maxLength: 5 }),
    unit: text,
  },
  { requiredKeys: ['metric', 'points'] },
);
/** Mostly valid and similar series: names with common prefixes, a count and a rate that are one series. */
const alike: fc.Arbitrary<SentSeries> = fc.record(
  {
    metric: fc.constantFrom('a', 'b'),
    tags: fc.subarray(['x:1', 'x:2', 'y:1']),
    type: fc.integer({ min: 0, max: 3 }),
    interval: fc.constantFrom(0, 5, 10),
    source_type_name: fc.constantFrom('System', ''),
    points: fc.array(point, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['metric', 'points'] },
);
const payload = fc.array(series, { maxLength: 5 });

const COMPRESSIONS = {
  gzip: gzipSync,
  deflate: deflateSync,
  zstd: (body: Buffer) => zstdCompressSync(body),
  identity: (body: Buffer) => body,
} as const;
const compression = fc.constantFrom(...(Object.keys(COMPRESSIONS) as (keyof typeof COMPRESSIONS)[]));

test('JSON and protobuf of one payload give equal points and refusals, under every compression', async () => {
  let points = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(payload, compression, compression, async (sent, a, b) => {
      const json = await take(COMPRESSIONS[a](jsonBody(sent)), 'application/json', a);
      const protobuf = await take(COMPRESSIONS[b](protobufBody(sent)), 'application/x-protobuf', b);
      expect(json).toEqual({ points: expect.any(Array), refusals: expect.any(Array) });
      expect(protobuf).toEqual(json);
      points += typeof json === 'string' ? 0 : json.points.length;
      refused += typeof json === 'string' ? 0 : json.refusals.length;
    }),
    { numRuns: 500 },
  );
  expect(Math.min(points, refused)).toBeGreaterThan(100);
});

test('known series give the same points as unknown ones, after any earlier payloads', async () => {
  const order = fc.constantFrom<FieldOrder>('agent', 'agent', 'numbers', 'points first', 'points between');
  const sent = fc.array(fc.nat(11), { maxLength: 10 });
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ arbitrary: alike, weight: 4 }, series), { minLength: 12, maxLength: 12 }),
      fc.array(fc.tuple(sent, order), { minLength: 1, maxLength: 8 }),
      // A small limit makes the table start again.
      fc.constantFrom(0, 100, 400, 1 << 20, 1 << 20),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      async (all, payloads, limitBytes, key) => {
        const known = new KnownSeries(new LabelMemory(limitBytes, key, 256), limitBytes);
        const [knowing, unknowing] = [new CountingSink(), new CountingSink()];
        for (const [indexes, fieldOrder] of payloads) {
          const body = protobufBody(
            indexes.map((index) => all[index]),
            fieldOrder,
          );
          const json = jsonBody(indexes.map((index) => all[index]));
          for (const [contentType, sentBody] of [
            ['application/x-protobuf', body],
            ['application/json', json],
          ] as const) {
            const request = {
              form: 'seriesV2',
              body: sentBody,
              contentType,
              contentEncoding: undefined,
              receivedMs: 0,
            } as const;
            finishAtOnce((await openPayload(request, DEFAULT_DATADOG_LIMITS))(knowing, known));
            finishAtOnce((await openPayload(request, DEFAULT_DATADOG_LIMITS))(unknowing));
          }
          expect([knowing.points, knowing.refusals]).toEqual([unknowing.points, unknowing.refusals]);
        }
        hits += unknowing.named - knowing.named;
      },
    ),
    { numRuns: 200 },
  );
  expect(hits).toBeGreaterThan(1000);
});

/** A sink that also counts how often a series was named to it. */
class CountingSink extends RecordingSink {
  named = 0;

  override series(name: Parameters<RecordingSink['series']>[0]): number {
    this.named++;
    return super.series(name);
  }
}

test('damaged bytes are refused or read, without a crash and without garbage', async () => {
  const contentType = fc.constantFrom('application/json', 'application/x-protobuf');
  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), how: fc.constantFrom('set', 'cut', 'insert', 'swap') });
  let refused = 0;
  let read = 0;
  await fc.assert(
    fc.asyncProperty(
      payload,
      contentType,
      compression,
      fc.boolean(),
      fc.array(damage, { minLength: 1, maxLength: 4 }),
      async (sent, type, coding, isInside, damages) => {
        const plain = type === 'application/json' ? jsonBody(sent) : protobufBody(sent);
        // Damage before compression reaches the decoders; damage after it, the decompression.
        const body = isInside
          ? COMPRESSIONS[coding](damaged(plain, damages))
          : damaged(COMPRESSIONS[coding](plain), damages);
        const outcome = await take(body, type, coding);
        if (typeof outcome === 'string') refused++;
        else read++;
      },
    ),
    // About one in 15 bodies is read.
    { numRuns: 3_000 },
  );
  // Both outcomes occur, so the test reaches beyond the first check.
  expect(Math.min(read, refused)).toBeGreaterThan(100);
});

const OTHER_BODIES = [
  ['seriesV1', jsonBody([{ metric: 'm', type: 'rate', interval: 10, points: [[1_700_000_000, 1.5]], tags: ['a:b'] }])],
  ['distributions', jsonBody([{ metric: 'm', points: [[1_700_000_000, [1, 2.5, -3]]], host: 'h' }])],
  ['checks', Buffer.from('[{"check":"c","status":2,"host_name":"h","tags":["a:b"],"timestamp":1700000000}]')],
  [
    'sketches',
    sketchBody([
      { metric: 'm', tags: ['a:b'], sketches: [{ ts: 1_700_000_000, k: [1, 5], n: [2, 3], min: 1, max: 2 }] },
    ]),
  ],
] as const;

test.each(OTHER_BODIES)('damaged %s are refused or read, without a crash and without garbage', async (form, body) => {
  const contentType = form === 'sketches' ? 'application/x-protobuf' : 'application/json';
  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), how: fc.constantFrom('set', 'cut', 'insert', 'swap') });
  let read = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { maxLength: 4 }), async (damages) => {
      if (typeof (await take(damaged(body, damages), contentType, 'identity', form)) !== 'string') read++;
    }),
    { numRuns: 1_000 },
  );
  expect(read).toBeGreaterThan(20);
});

/** JSON of any form, with the names of fields that are read. */
const anyFields = fc.dictionary(
  fc.constantFrom('metric', 'check', 'type', 'status', 'points', 'tags', 'host', 'host_name', 'device', 'timestamp'),
  fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('m', [[1_700_000_000, 1]], [[1_700_000_000, [1]]], 2)),
  { maxKeys: 8 },
);

test.each(['seriesV1', 'seriesV2', 'distributions', 'checks'] as const)(
  '%s with fields of any type are refused by name, and the good ones are read',
  async (form) => {
    const good = { metric: 'good', check: 'good', status: 0, tags: ['a:b'] };
    const points = form === 'seriesV2' ? [{ timestamp: 1_700_000_000, value: 1 }] : [[1_700_000_000, 1]];
    await fc.assert(
      fc.asyncProperty(fc.array(anyFields, { maxLength: 4 }), async (all) => {
        const list = [...all, { ...good, points }];
        const body = Buffer.from(JSON.stringify(form === 'checks' ? list : { series: list }));
        const outcome = await take(body, 'application/json', 'identity', form);
        if (typeof outcome === 'string') throw new Error(`refused as a whole: ${outcome}`);
        expect(outcome.points.some((point) => point.includes('good{a:b}'))).toBe(true);
      }),
    );
  },
);

test('random bytes are refused or read', async () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(bytes, compression, async (random, coding) => {
      await take(Buffer.from(random), 'application/x-protobuf', coding);
      await take(COMPRESSIONS[coding](Buffer.from(random)), 'application/x-protobuf', coding);
      await take(Buffer.from(random), 'application/x-protobuf', 'identity', 'sketches');
    }),
    { numRuns: 1_000 },
  );
});

type Outcome = Pick<RecordingSink, 'points' | 'refusals'> | string;

/**
 * Returns the content of the sink, which throws for garbage, or why the request was refused. Any other error is a
 * crash.
 */
async function take(
  body: Buffer,
  contentType: string,
  contentEncoding: string,
  form: PayloadForm = 'seriesV2',
): Promise<Outcome> {
  const sink = new RecordingSink();
  try {
    const request = { form, body, contentType, contentEncoding, receivedMs: 1_700_000_000_000 };
    finishAtOnce((await openPayload(request, DEFAULT_DATADOG_LIMITS))(sink));
    return { points: sink.points, refusals: sink.refusals };
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    const { reason, field, limit } = error.detail;
    expect([typeof reason, typeof field, limit === undefined]).toEqual(['string', 'string', false]);
    return String(reason);
  }
}

interface Damage {
  readonly at: number;
  readonly byte: number;
  readonly how: string;
}

function damaged(body: Buffer, damages: readonly Damage[]): Buffer {
  return damages.reduce((bytes, { at: anywhere, byte, how }) => {
    const at = anywhere % (bytes.length + 1);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    if (how === 'cut') return before;
    if (how === 'insert') return Buffer.concat([before, Buffer.of(byte), after]);
    if (how === 'swap') return Buffer.concat([after, before]);
    return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
  }, Buffer.from(body));
}
