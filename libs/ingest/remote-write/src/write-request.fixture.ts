import { ByteWriter } from '@tidemark/bytes';

export interface WrittenSeries {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly samples: readonly (readonly [timeMs: number, value: number | Float64Array])[];
  /** Fields after the samples, such as exemplars and histograms: tag and bytes. */
  readonly more?: readonly (readonly [tag: number, bytes: Uint8Array])[];
}

/** The stale marker: the one NaN that means that a series ended. */
export const STALE = new Float64Array(BigUint64Array.of(0x7ff0000000000002n).buffer);

/** Encodes a WriteRequest as Prometheus does: fields in order, zeros left out. */
export function writeRequest(series: readonly WrittenSeries[]): Buffer {
  const out = new ByteWriter();
  for (const one of series) field(out, 0x0a, timeSeries(one));
  return out.take();
}

export function timeSeries({ labels, samples, more = [] }: WrittenSeries): Buffer {
  const out = new ByteWriter();
  for (const [name, value] of labels) field(out, 0x0a, label(name, value));
  for (const [timeMs, value] of samples) field(out, 0x12, sample(timeMs, value));
  for (const [tag, bytes] of more) field(out, tag, bytes);
  return out.take();
}

export function label(name: string, value: string): Buffer {
  const out = new ByteWriter();
  field(out, 0x0a, Buffer.from(name));
  field(out, 0x12, Buffer.from(value));
  return out.take();
}

/** Encodes a sample. `value` may be `STALE`, which would lose its bits as a number. */
export function sample(timeMs: number, value: number | Float64Array): Buffer {
  const out = new ByteWriter();
  if (typeof value !== 'number') {
    out.u8(0x09);
    out.bytes(new Uint8Array(value.buffer));
  } else if (!Object.is(value, 0)) {
    out.u8(0x09);
    out.f64(value);
  }
  if (timeMs !== 0) {
    out.u8(0x10);
    int64(out, timeMs);
  }
  return out.take();
}

function int64(out: ByteWriter, value: number): void {
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    out.u8(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.u8(Number(rest));
}

function field(out: ByteWriter, tag: number, bytes: Uint8Array): void {
  out.u8(tag);
  out.sizedBytes(bytes);
}
