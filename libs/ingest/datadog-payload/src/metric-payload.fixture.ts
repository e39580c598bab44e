/** A payload in its JSON form. Any field may be absent, as in protobuf. */
export interface SentSeries {
  readonly metric: string;
  readonly type?: number;
  readonly points?: readonly { readonly timestamp?: number; readonly value?: number }[];
  readonly tags?: readonly string[];
  readonly resources?: readonly { readonly type?: string; readonly name?: string }[];
  readonly interval?: number;
  readonly unit?: string;
  readonly source_type_name?: string;
  readonly metadata?: { readonly origin: { readonly product: number } };
}

export function jsonBody(series: readonly unknown[]): Buffer {
  return Buffer.from(JSON.stringify({ series }));
}

/** Place of the points: agents write them near the end, most encoders by field number, and any order is allowed. */
export type FieldOrder = 'agent' | 'numbers' | 'points first' | 'points between';

/** Encodes series as an agent does. Absent fields are not written; all others are, including zeros. */
export function protobufBody(series: readonly SentSeries[], order: FieldOrder = 'agent'): Buffer {
  return Buffer.concat(series.map((one) => sized(1, seriesBytes(one, order))));
}

function seriesBytes(series: SentSeries, order: FieldOrder): Buffer {
  const { resources = [], tags = [], points: all = [], metadata } = series;
  const name = [
    ...resources.map(({ type, name: of }) => sized(1, Buffer.concat([text(1, type), text(2, of)]))),
    text(2, series.metric),
    ...tags.map((tag) => text(3, tag)),
  ];
  const type = [integer(5, series.type), text(6, series.unit), text(7, series.source_type_name)];
  const interval = integer(8, series.interval);
  const origin = metadata === undefined ? Buffer.alloc(0) : sized(9, sized(1, integer(4, metadata.origin.product)));
  const points = all.map(({ timestamp, value }) => sized(4, Buffer.concat([integer(2, timestamp), double(1, value)])));
  switch (order) {
    case 'agent':
      return Buffer.concat([...name, ...type, interval, ...points, origin]);
    case 'numbers':
      return Buffer.concat([...name, ...points, ...type, interval, origin]);
    case 'points first':
      return Buffer.concat([...points, origin, interval, ...type, ...name]);
    case 'points between':
      return Buffer.concat([...points.slice(1), ...name, ...type, ...points.slice(0, 1), interval]);
  }
}

/** A series of sketches. An absent list is not written. */
export interface SentSketches {
  readonly metric: string;
  readonly host?: string;
  readonly tags?: readonly string[];
  readonly sketches: readonly {
    readonly ts: number;
    readonly k?: readonly number[];
    readonly n?: readonly number[];
    readonly min?: number;
    readonly max?: number;
    readonly sum?: number;
  }[];
}

/** Encodes sketches as an agent does, with packed lists; with `isPacked` false each integer is a field of its own. */
export function sketchBody(series: readonly SentSketches[], isPacked = true): Buffer {
  const list = (field: number, values: readonly number[] | undefined) => {
    if (values === undefined) return Buffer.alloc(0);
    if (isPacked) return sized(field, Buffer.concat(values.map(varint)));
    return Buffer.concat(values.map((value) => integer(field, value)));
  };
  const zigzag = (value: number) => (value < 0 ? -value * 2 - 1 : value * 2);
  const sketch = ({ ts, k, n, min, max, sum }: SentSketches['sketches'][number]) => {
    const count = n?.reduce((total, one) => total + one, 0);
    const summary = [integer(1, ts), integer(2, count), double(3, min), double(4, max), double(5, 0), double(6, sum)];
    return sized(7, Buffer.concat([...summary, list(7, k?.map(zigzag)), list(8, n)]));
  };
  const one = ({ metric, host, tags = [], sketches }: SentSketches) =>
    sized(
      1,
      Buffer.concat([text(1, metric), text(2, host), ...tags.map((tag) => text(4, tag)), ...sketches.map(sketch)]),
    );
  return Buffer.concat([...series.map(one), sized(2, text(1, '7.60.0'))]);
}

function text(field: number, value: string | undefined): Buffer {
  return value === undefined ? Buffer.alloc(0) : sized(field, Buffer.from(value));
}

function sized(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function integer(field: number, value: number | undefined): Buffer {
  return value === undefined ? Buffer.alloc(0) : Buffer.concat([varint(field << 3), varint(value)]);
}

function double(field: number, value: number | undefined): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

/** Encodes a varint. Negative numbers use ten bytes, as the two's complement of 64 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.of(...bytes, Number(rest));
}
