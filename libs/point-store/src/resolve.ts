import { ByteWriter } from '@tidemark/bytes';
import type { ChunkPoints, ChunkSketches } from '@tidemark/chunk';
import { KIND, type Kind } from '@tidemark/model';
import { mergePacked, packSketch, unpackSketch } from '@tidemark/sketch';

type Column = Float64Array<ArrayBuffer>;

/**
 * Sorts points [from, to) of one series by time, keeping log order among equal timestamps, and leaves one point a
 * timestamp: of a count the sum, of others the later one. Works in place on two parallel columns; returns the new end.
 */
export function resolvePoints(kind: Kind, timesMs: Column, values: Column, from: number, to: number): number {
  if (isStrictlyAscending(timesMs, from, to)) return to;
  if (!isAscending(timesMs, from, to)) {
    const order = sortedOrder(timesMs, from, to);
    const times = Float64Array.from(order, (i) => timesMs[i]);
    const sorted = Float64Array.from(order, (i) => values[i]);
    timesMs.set(times, from);
    values.set(sorted, from);
  }
  let end = from;
  for (let i = from; i < to; i++) {
    if (end > from && timesMs[end - 1] === timesMs[i]) {
      values[end - 1] = kind === KIND.count ? values[end - 1] + values[i] : values[i];
    } else {
      timesMs[end] = timesMs[i];
      values[end] = values[i];
      end++;
    }
  }
  return end;
}

/** All of `points`, resolved in place. */
export function resolveAll(kind: Kind, points: ChunkPoints): void {
  points.length = resolvePoints(kind, points.timesMs, points.values, 0, points.length);
}

/** Sketches sorted by time; those of equal timestamps are merged, in log order. In place. */
export function resolveSketches(sketches: ChunkSketches): void {
  const { timesMs, length } = sketches;
  if (isStrictlyAscending(timesMs, 0, length)) return;
  const order = sortedOrder(timesMs, 0, length);
  const times = Array.from(order, (i) => timesMs[i]);
  const payloads = Array.from(order, (i) => sketches.payloads[i]);
  sketches.clear();
  for (let i = 0; i < times.length; ) {
    let end = i + 1;
    while (end < times.length && times[end] === times[i]) end++;
    sketches.push(times[i], end === i + 1 ? payloads[i] : merged(payloads.slice(i, end)));
    i = end;
  }
}

function merged(payloads: readonly Uint8Array[]): Uint8Array {
  const sketch = unpackSketch(payloads[0]);
  for (const payload of payloads.slice(1)) mergePacked(sketch, payload);
  const out = new ByteWriter();
  packSketch(sketch, out);
  return out.take();
}

function isStrictlyAscending(timesMs: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (!(timesMs[i - 1] < timesMs[i])) return false;
  return true;
}

function isAscending(timesMs: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (timesMs[i - 1] > timesMs[i]) return false;
  return true;
}

/** Indices [from, to) in order of time, equal timestamps in order of index. */
function sortedOrder(timesMs: Float64Array, from: number, to: number): Uint32Array {
  const order = Uint32Array.from({ length: to - from }, (_, i) => from + i);
  return order.sort((a, b) => timesMs[a] - timesMs[b] || a - b);
}
