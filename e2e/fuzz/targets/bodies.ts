import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { DEFAULT_DATADOG_LIMITS, KnownSeries, openPayload, type PayloadForm } from '@tidemark/datadog-payload';
import { finishAtOnce, isTidemarkError } from '@tidemark/ports';
import { DEFAULT_REMOTE_WRITE_LIMITS, WriteBody, WriteDecoder } from '@tidemark/remote-write';
import { LabelMemory, LabelTable } from '@tidemark/series-memory';
import { compressSync } from 'snappy';
import { jsonBody, protobufBody, sketchBody } from '../../../libs/ingest/datadog-payload/src/metric-payload.fixture.ts';
import { RecordingSink } from '../../../libs/ingest/datadog-payload/src/recording-sink.fixture.ts';
import { writeRequest } from '../../../libs/ingest/remote-write/src/write-request.fixture.ts';
import { protobufGrowth } from '../growth.ts';
import { type FuzzTarget, holds, parsedLater } from '../target.ts';
import { JSON_SIGNS, PROTOBUF_TAGS } from '../tokens.ts';

const SAMPLES = 1_000_000;
const KEY = Buffer.alloc(16, 3);
const NOW_S = 1_700_000_000;
const SERIES = [
  {
    metric: 'a.b',
    type: 1,
    interval: 10,
    tags: ['env:prod'],
    points: [{ timestamp: NOW_S, value: 1.5 }],
    unit: 'byte',
  },
  {
    metric: 'c',
    type: 3,
    resources: [{ type: 'host', name: 'h1' }],
    source_type_name: 'System',
    metadata: { origin: { product: 1 } },
    points: [
      { timestamp: NOW_S, value: -0.1 },
      { timestamp: NOW_S + 1, value: 2 },
    ],
  },
];
const V1 = [
  {
    metric: 'a',
    type: 'count',
    interval: 10,
    host: 'h',
    tags: ['x:1'],
    points: [
      [NOW_S, 1],
      [NOW_S, '2'],
    ],
  },
];
const CHECKS = [{ check: 'ok', host_name: 'h', status: 1, timestamp: NOW_S, message: 'm', tags: ['a:b'] }];
const SKETCHES = [
  {
    metric: 'd',
    host: 'h',
    tags: ['a:b'],
    sketches: [{ ts: NOW_S, k: [-3, 0, 1338, 1400], n: [1, 2, 3, 4], min: -1, max: 5, sum: 9 }],
  },
];
const JSON_TOKENS = [
  ...JSON_SIGNS,
  '\\',
  'null',
  'true',
  '1e999',
  '-0',
  '"series":',
  '"points":',
  '"metric":',
  '"tags":',
  '"__proto__":',
  '\\ud800',
  '\\u0000',
  '"type":',
  '"interval":',
  '{"series":[',
  'NaN',
];
const PROTOBUF_TOKENS = [...PROTOBUF_TAGS, 'B', '\u000b\u000b\u000b'];

function body(
  name: string,
  form: PayloadForm,
  contentType: string,
  seeds: () => Buffer[],
  contentEncoding?: string,
): FuzzTarget {
  const memory = new LabelMemory(1 << 20, KEY);
  return {
    name,
    seeds,
    tokens: contentType === 'application/json' ? JSON_TOKENS : PROTOBUF_TOKENS,
    // A body may be decompressed up to the limit.
    ...(contentType === 'application/json' ? {} : { growth: protobufGrowth }),
    ...(contentEncoding === undefined ? {} : { baseBytes: 6 * DEFAULT_DATADOG_LIMITS.decodedBytes }),
    run: async (input) => {
      const request = { form, body: input, contentType, contentEncoding, receivedMs: NOW_S * 1000 };
      await parsedLater(['invalid_argument'], async () => {
        const read = await openPayload(request, DEFAULT_DATADOG_LIMITS);
        const sink = new RecordingSink();
        const known = new KnownSeries(memory, 1 << 16);
        try {
          finishAtOnce(read(sink, known));
          const again = new RecordingSink();
          finishAtOnce(read(again));
          holds(again.points.join('\n') === sink.points.join('\n'), () => 'known series have other points');
        } finally {
          known.leave();
        }
      });
    },
  };
}

const WRITTEN = [
  {
    labels: [
      ['__name__', 'm'],
      ['job', 'a'],
    ] as const,
    samples: [[NOW_S * 1000, 1.5]] as const,
  },
  {
    labels: [
      ['__name__', 'n_total'],
      ['x', 'é'],
    ] as const,
    samples: [
      [NOW_S * 1000, 1],
      [NOW_S * 1000 + 1, 2],
    ] as const,
  },
];

/** Remote write 1: labels and samples of the body, uncompressed (`isCompressed` false) or as received. */
function remoteWrite(name: string, isCompressed: boolean): FuzzTarget {
  const memory = new LabelMemory(1 << 20, KEY);
  const reader = new WriteBody(memory);
  const decoder = new WriteDecoder(DEFAULT_REMOTE_WRITE_LIMITS);
  const raw = [writeRequest([]), writeRequest(WRITTEN)];
  const sinkOf = () => {
    let names = 0;
    return {
      series: () => names++,
      isRefused: () => false,
      reject: () => undefined,
      describe: () => undefined,
      leaveOut: () => undefined,
    };
  };
  return {
    name,
    seeds: () => (isCompressed ? raw.map((one) => compressSync(one)) : raw),
    tokens: PROTOBUF_TOKENS,
    baseBytes: 256 * 1024 * 1024,
    ...(isCompressed ? {} : { growth: protobufGrowth }),
    run: (input) => {
      const table = new LabelTable(memory);
      try {
        const received = isCompressed ? input : compressSync(input);
        finishAtOnce(reader.uncompress([received], DEFAULT_REMOTE_WRITE_LIMITS.rawBytes, SAMPLES));
        finishAtOnce(decoder.decode(reader, table, sinkOf() as never));
      } catch (error) {
        if (!isTidemarkError(error, 'invalid_argument')) throw error;
      } finally {
        table.leave();
      }
    },
  };
}

const V2_JSON = (): Buffer[] => [jsonBody(SERIES), jsonBody([])];

export const BODIES: readonly FuzzTarget[] = [
  body('datadog-series-v1', 'seriesV1', 'application/json', () => [jsonBody(V1)]),
  body('datadog-series-v2', 'seriesV2', 'application/json', V2_JSON),
  body('datadog-protobuf', 'seriesV2', 'application/x-protobuf', () => [
    protobufBody(SERIES),
    protobufBody(SERIES, 'points first'),
  ]),
  body('datadog-distributions', 'distributions', 'application/json', () => [
    jsonBody([{ metric: 'd', tags: ['a:b'], points: [[NOW_S, [1, 2, 3.5]]] }]),
  ]),
  body('datadog-sketches', 'sketches', 'application/x-protobuf', () => [
    sketchBody(SKETCHES),
    sketchBody(SKETCHES, false),
  ]),
  body('datadog-checks', 'checks', 'application/json', () => [Buffer.from(JSON.stringify(CHECKS))]),
  body('coding-gzip', 'seriesV2', 'application/json', () => V2_JSON().map((one) => gzipSync(one)), 'gzip'),
  body('coding-deflate', 'seriesV2', 'application/json', () => V2_JSON().map((one) => deflateSync(one)), 'deflate'),
  body(
    'coding-zstd',
    'seriesV2',
    'application/json',
    () => [...V2_JSON(), Buffer.alloc(1 << 20)].map((one) => zstdCompressSync(one)),
    'zstd',
  ),
  remoteWrite('remote-write', false),
  remoteWrite('remote-write-snappy', true),
];
