import { ByteWriter } from '@tidemark/bytes';

const one = new ByteWriter();

/** Appends a label to the fields of a TimeSeries. */
export function appendLabel(out: ByteWriter, name: string, value: string): void {
  one.reset();
  one.u8(0x0a);
  one.text(name);
  one.u8(0x12);
  one.text(value);
  out.u8(0x0a);
  out.sizedBytes(one.view());
}

/** Appends a sample to the fields of a TimeSeries like Prometheus, without a value of zero. */
export function appendSample(out: ByteWriter, timeMs: number, value: number): void {
  out.u8(0x12);
  out.u8(value === 0 ? 7 : 16);
  if (value !== 0) {
    out.u8(0x09);
    out.f64(value);
  }
  out.u8(0x10);
  out.varint(timeMs);
}

/** Appends a TimeSeries of encoded labels and samples to a WriteRequest. */
export function appendSeries(out: ByteWriter, labels: Uint8Array, samples: ByteWriter): void {
  out.u8(0x0a);
  out.varint(labels.length + samples.length);
  out.bytes(labels);
  out.bytes(samples.view());
}
