import { utf8TextIn } from '@tidemark/bytes';
import { KIND, type Kind, type MetricChange } from '@tidemark/model';
import type { WireReader } from './wire-reader.ts';

const TYPE = 0x08;
const FAMILY = 0x12;
const HELP = 0x22;
const UNIT = 0x2a;

/** What the metadata of a request says of one metric. */
export interface MetricDescription {
  readonly metric: string;
  readonly change: MetricChange;
}

type Part = readonly [suffix: string, kind: Kind | undefined];

/** Metrics of a family by its type, in the order of the protocol: unknown, counter, gauge, histogram and so on. */
const PARTS: readonly (readonly Part[])[] = [
  [['', undefined]],
  [
    ['', KIND.counter],
    ['_total', KIND.counter],
  ],
  [['', KIND.gauge]],
  histogram(KIND.counter, '_sum', '_count'),
  histogram(KIND.gauge, '_gsum', '_gcount'),
  [
    ['', KIND.gauge],
    ['_sum', KIND.counter],
    ['_count', KIND.counter],
  ],
  [
    ['', KIND.gauge],
    ['_info', KIND.gauge],
  ],
  [['', KIND.gauge]],
];

function histogram(kind: Kind, ...totals: string[]): readonly Part[] {
  return ['_bucket', ...totals].map((suffix) => [suffix, kind]);
}

/**
 * Reads one metadata message of remote write 1.0, up to `end`, and returns what it says of each metric that its family
 * may have. A count of observations has no unit.
 */
export function readMetadata(reader: WireReader, end: number): MetricDescription[] {
  let type = 0;
  let family = '';
  let unit = '';
  let description = '';
  while (reader.position < end) {
    const tag = reader.varint(end);
    if (tag === TYPE) type = reader.int64(end);
    else if (tag === FAMILY) family = textIn(reader, end);
    else if (tag === HELP) description = textIn(reader, end);
    else if (tag === UNIT) unit = textIn(reader, end);
    else reader.skip(tag, end);
  }
  if (family === '') return [];
  return (PARTS[type] ?? PARTS[0]).map(([suffix, kind]) => ({
    metric: family + suffix,
    change: {
      ...(kind === undefined ? {} : { kind }),
      ...(unit === '' || suffix.endsWith('count') || suffix === '_bucket' ? {} : { unit }),
      ...(description === '' ? {} : { description }),
    },
  }));
}

function textIn(reader: WireReader, end: number): string {
  const length = reader.varint(end);
  const textEnd = reader.endOf(length, end);
  const text = utf8TextIn(reader.bytes, textEnd - length, textEnd);
  reader.position = textEnd;
  return text;
}
