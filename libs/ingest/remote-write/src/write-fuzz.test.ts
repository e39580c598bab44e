import { expect, test } from '@jest/globals';
import { utf8Text } from '@tidemark/bytes';
import { isStaleMarker, labelTag } from '@tidemark/model';
import { finishAtOnce, isTidemarkError } from '@tidemark/ports';
import { LabelMemory, LabelTable } from '@tidemark/series-memory';
import fc from 'fast-check';
import { compressSync, uncompressSync } from 'snappy';
import { DEFAULT_REMOTE_WRITE_LIMITS } from './remote-write-limits.ts';
import { WriteBody } from './write-body.ts';
import { type SeriesSink, WriteDecoder } from './write-decoder.ts';
import { STALE, type WrittenSeries, writeRequest } from './write-request.fixture.ts';

/** Result of a decoder for a request: samples as text, and the numbers of refused and left-out points. */
interface Taken {
  readonly samples: readonly string[];
  readonly refused: number;
  readonly leftOut: number;
}

type Field = readonly [tag: number, value: bigint | Uint8Array];

/**
 * Reads protobuf plainly, field by field, for comparison with the fast reader. Returns undefined for malformed bytes.
 */
function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const varint = (longest: number): bigint | undefined => {
    let value = 0n;
    for (let i = 0; i < longest; i++) {
      if (at >= bytes.length) return undefined;
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint(8);
    if (tag === undefined || tag < 8n || tag > 2n ** 53n) return undefined;
    const wire = Number(tag % 8n);
    if (wire === 0) {
      const value = varint(10);
      if (value === undefined) return undefined;
      fields.push([Number(tag), BigInt.asIntN(64, value)]);
      continue;
    }
    const fixed = wire === 1 ? 8 : wire === 5 ? 4 : undefined;
    if (fixed === undefined && wire !== 2) return undefined;
    const length = fixed ?? Number(varint(8) ?? Number.POSITIVE_INFINITY);
    if (length > bytes.length - at) return undefined;
    fields.push([Number(tag), bytes.subarray(at, at + length)]);
    at += length;
  }
  return fields;
}

function readPlainly(raw: Uint8Array): Taken | undefined {
  const request = fieldsOf(raw);
  if (request === undefined) return undefined;
  const samples: string[] = [];
  let refused = 0;
  let leftOut = 0;
  for (const [tag, value] of request) {
    if (tag !== 0x0a || typeof value === 'bigint') continue;
    const series = fieldsOf(value);
    if (series === undefined) return undefined;
    const own: (readonly [bigint, Uint8Array])[] = [];
    for (const [field, part] of series) {
      if (field === 0x1a) leftOut++;
      if (field === 0x22) refused++;
      if (field !== 0x12 || typeof part === 'bigint') continue;
      const sample = fieldsOf(part);
      if (sample === undefined) return undefined;
      const time = sample.findLast(([one]) => one === 0x10)?.[1] ?? 0n;
      const number = sample.findLast(([one]) => one === 0x09)?.[1] ?? new Uint8Array(8);
      if (typeof time === 'bigint' && typeof number !== 'bigint') own.push([time, number]);
    }
    if (!series.some(([field]) => field === 0x12)) continue;
    const labels = labelsOf(series);
    if (labels === undefined) return undefined;
    for (const [time, number] of own) {
      const double = new DataView(number.buffer, number.byteOffset, 8).getFloat64(0, true);
      if (Number.isNaN(double) && !isStaleMarker(double)) leftOut++;
      else if (labels === '') refused++;
      else samples.push(`${labels} ${Number(time)} ${Buffer.from(number).toString('hex')}`);
    }
  }
  return { samples, refused, leftOut };
}

/** Returns the series that the labels name, '' when they are refused, undefined when they are malformed. */
function labelsOf(series: readonly Field[]): string | undefined {
  const pairs = new Map<string, string>();
  let isBad = false;
  for (const [tag, value] of series) {
    if (tag !== 0x0a || typeof value === 'bigint') continue;
    const label = fieldsOf(value);
    if (label === undefined) return undefined;
    const text = (wanted: number) => {
      const found = label.findLast(([one]) => one === wanted)?.[1];
      return found instanceof Uint8Array ? utf8Text(found) : '';
    };
    const name = text(0x0a);
    if (name === '' || pairs.has(name)) isBad = true;
    pairs.set(name, text(0x12));
  }
  const metric = pairs.get('__name__') ?? '';
  if (isBad || metric === '' || pairs.size > DEFAULT_REMOTE_WRITE_LIMITS.labels) return '';
  const tags = [...pairs].filter(([name, value]) => name !== '__name__' && value !== '');
  return seriesText(
    metric,
    tags.map(([name, value]) => labelTag(name, value)),
  );
}

function seriesText(metric: string, tags: readonly string[]): string {
  return JSON.stringify([metric, [...tags].sort()]);
}

class TextSink implements SeriesSink {
  readonly names: string[] = [];
  refused = 0;
  leftOut = 0;

  series({ metric, tags }: { metric: string; tags: readonly string[] }): number {
    return this.names.push(seriesText(metric, tags)) - 1;
  }

  isRefused(): boolean {
    return false;
  }

  reject(_reason: string, _field: string, _limit: string, points: number): void {
    this.refused += points;
  }

  describe(): void {}

  leaveOut(reason: string, count: number): void {
    // Metadata that can't be read costs nothing else.
    if (reason !== 'metadata') this.leftOut += count;
  }
}

const KEY = Buffer.alloc(16, 3);
const double = fc.double({ noNaN: true });
const time = fc.oneof(fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 }), fc.maxSafeInteger());
const text = fc.oneof(
  fc.constantFrom('a', 'b', 'job', '__name__', '', 'a:b'),
  fc.string({ maxLength: 12, unit: 'binary' }),
);
const sample = fc.tuple(time, fc.oneof({ weight: 9, arbitrary: double }, { weight: 1, arbitrary: fc.constant(STALE) }));
const series: fc.Arbitrary<WrittenSeries> = fc.record({
  labels: fc
    .tuple(fc.constantFrom('m', 'n_total', 'other'), fc.array(fc.tuple(text, text), { maxLength: 4 }))
    .map(([name, more]) => [['__name__', name] as [string, string], ...more]),
  samples: fc.array(sample, { maxLength: 3 }),
  more: fc.array(fc.tuple(fc.constantFrom(0x1a, 0x22, 0x2a), fc.uint8Array({ maxLength: 5 })), { maxLength: 2 }),
});
/** A place at which a byte is changed, removed, or inserted. */
const change = fc.record({ at: fc.nat(), how: fc.constantFrom('set', 'cut', 'put'), byte: fc.nat(255) });

function changed(bytes: Buffer, changes: readonly { at: number; how: string; byte: number }[]): Buffer {
  let out = bytes;
  for (const { at, how, byte } of changes) {
    const place = out.length === 0 ? 0 : at % out.length;
    const rest = how === 'put' ? place : place + 1;
    out = Buffer.concat([out.subarray(0, place), how === 'cut' ? Buffer.of() : Buffer.of(byte), out.subarray(rest)]);
  }
  return out;
}

/** Decodes the request. Returns undefined when the decoder refuses it as malformed; any other error fails the test. */
function decodeWith(
  decoder: WriteDecoder,
  body: WriteBody,
  table: LabelTable,
  sink: TextSink,
  raw: Uint8Array,
): Taken | undefined {
  const { refused, leftOut } = sink;
  const bits = Buffer.alloc(8);
  try {
    finishAtOnce(body.uncompress([compressSync(raw)], 1 << 20, 1_000_000));
    const { handles, timesMs, values, length } = finishAtOnce(decoder.decode(body, table, sink));
    const samples = Array.from({ length }, (_, i) => {
      bits.writeDoubleLE(values[i]);
      return `${sink.names[handles[i]]} ${timesMs[i]} ${bits.toString('hex')}`;
    });
    return { samples, refused: sink.refused - refused, leftOut: sink.leftOut - leftOut };
  } catch (error) {
    if (isTidemarkError(error, 'invalid_argument')) return undefined;
    throw error;
  }
}

test('any bytes are decoded as by a plain reading of protobuf, or refused as by it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(series, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.record({ request: fc.nat(), changes: fc.array(change, { maxLength: 3 }) }), { maxLength: 12 }),
      fc.integer({ min: 64, max: 4096 }),
      fc.constantFrom(1, 20, 100, 100_000),
      (requests, sendings, rememberedBytes, sliceBytes) => {
        const decoder = new WriteDecoder(DEFAULT_REMOTE_WRITE_LIMITS, sliceBytes);
        const memory = new LabelMemory(rememberedBytes, KEY, 256);
        const table = new LabelTable(memory);
        const body = new WriteBody(memory, sliceBytes);
        const sink = new TextSink();
        for (const { request, changes } of sendings) {
          const raw = changed(writeRequest(requests[request % requests.length]), changes);
          expect(decodeWith(decoder, body, table, sink, raw)).toEqual(readPlainly(raw));
        }
      },
    ),
    { numRuns: 1000, interruptAfterTimeLimit: 60_000 },
  );
});

/** Decompresses a body by the native library. Returns undefined when the library refuses it. */
function uncompressedByLibrary(body: Buffer): string | undefined {
  try {
    return Buffer.from(uncompressSync(body, { asBuffer: true })).toString('hex');
  } catch {
    return undefined;
  }
}

/** Decompresses a body in parts of any size, as a socket delivers them. */
function hexOf(reader: WriteBody, body: Uint8Array, rawBytes: number): string {
  const middle = body.length >> 1;
  const parts = [body.subarray(0, 1), body.subarray(1, middle), body.subarray(Math.max(1, middle))];
  finishAtOnce(reader.uncompress(parts, rawBytes, 0));
  return Buffer.from(reader.raw).toString('hex');
}

function uncompressed(reader: WriteBody, body: Uint8Array, rawBytes: number): string | undefined {
  try {
    return hexOf(reader, body, rawBytes);
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    expect(['snappy_malformed', 'raw_too_large']).toContain(error.detail.reason);
    return undefined;
  }
}

/** Bytes that compress in many ways: runs, near and far repetitions, and noise. */
const compressible = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 300 }))
        .map(([part, times]) => Buffer.concat(Array.from({ length: times }, () => part))),
      fc.integer({ min: 1, max: 70_000 }).map((length) => Buffer.alloc(length, 'far away, and back again: ')),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));

test('bodies are decompressed as by the native library', () => {
  const reader = new WriteBody(new LabelMemory(0, KEY), 100);
  fc.assert(
    fc.property(compressible, (raw) => {
      expect(uncompressed(reader, compressSync(raw), 1 << 20)).toBe(raw.toString('hex'));
    }),
    { numRuns: 500, interruptAfterTimeLimit: 60_000 },
  );
});

test('a body with damaged compression is refused, or decompressed as by the native library', () => {
  const reader = new WriteBody(new LabelMemory(0, KEY));
  fc.assert(
    fc.property(compressible, fc.array(change, { minLength: 1, maxLength: 4 }), (raw, changes) => {
      const body = changed(compressSync(raw.subarray(0, 3000)), changes);
      const ours = uncompressed(reader, body, 10_000);
      if (ours !== undefined) expect(ours).toBe(uncompressedByLibrary(body));
      else if (body.length > 0) expect([undefined, '']).toContain(uncompressedIfSmall(body, 10_000));
    }),
    { numRuns: 2000, interruptAfterTimeLimit: 60_000 },
  );
});

function uncompressedIfSmall(body: Buffer, limitBytes: number): string | undefined {
  const hex = uncompressedByLibrary(body);
  return hex !== undefined && hex.length / 2 > limitBytes ? undefined : hex;
}

test('a claimed length is checked before memory is reserved for it', () => {
  const reader = new WriteBody(new LabelMemory(0, KEY));
  const claims = (length: number[]) => () => finishAtOnce(reader.uncompress([Buffer.of(...length)], 1000, 0));
  expect(claims([0xff, 0xff, 0xff, 0xff, 0x0f])).toThrow(
    'rawBytes: 4294967295 bytes uncompressed (limit: remoteWrite.rawBytes, 1000)',
  );
  expect(claims([0xe9, 0x07])).toThrow('rawBytes: 1001 bytes');
  expect(claims([0xe8, 0x07])).toThrow('snappy: a body of 2 bytes cannot have 1000 uncompressed bytes');
  expect(claims([0x80])).toThrow('snappy: no valid uncompressed length at the start');
  expect(claims([])).toThrow('snappy: no valid uncompressed length at the start');
  finishAtOnce(reader.uncompress([compressSync(Buffer.alloc(1000))], 1000, 0));
  expect(reader.raw).toHaveLength(1000);
});
