import { ByteWriter } from '@tidemark/bytes';
import { TIME_LIMIT_MS, writeTimeBlocks } from '@tidemark/columns';
import { assert } from '@tidemark/ports';
import { PAGE_TIMES_LIMIT } from './page-format.ts';

/** Times that slots of several pages may have, checked once. */
export class SharedTimes {
  readonly timesMs: Float64Array;
  /** As in `TimeClass`. */
  readonly stepMs: number;

  /** 1 to `PAGE_TIMES_LIMIT` times, non-decreasing integers, which stay as they are. */
  constructor(timesMs: Float64Array) {
    this.timesMs = timesMs;
    this.stepMs = checkedStep(timesMs, 0, timesMs.length);
  }

  /** A column of a times record: how many times, then their mini-blocks. */
  encoded(originMs: number): Buffer {
    const { timesMs } = this;
    const out = new ByteWriter(2 * timesMs.length);
    out.varint(timesMs.length);
    writeTimeBlocks(timesMs, 0, timesMs.length, originMs, out);
    return out.take();
  }
}

/** The step between the times [from, to) of a class; 0 for a single one, -1 where they differ. Checks them. */
export function checkedStep(timesMs: Float64Array, from: number, to: number): number {
  const count = to - from;
  assert(count > 0 && count <= PAGE_TIMES_LIMIT, `a class has 1 to ${PAGE_TIMES_LIMIT} times, not ${count}`);
  for (let i = from; i < to; i++) {
    assertTime(timesMs[i]);
    assert(i === from || timesMs[i] >= timesMs[i - 1], 'times of a class do not descend');
  }
  return stepOf(timesMs, from, to);
}

/** The same of times that were checked. */
export function stepOf(timesMs: Float64Array, from: number, to: number): number {
  if (to - from === 1) return 0;
  const stepMs = timesMs[from + 1] - timesMs[from];
  for (let i = from + 2; i < to; i++) if (timesMs[i] - timesMs[i - 1] !== stepMs) return -1;
  return stepMs;
}

export function assertTime(timeMs: number): void {
  if (Number.isInteger(timeMs) && Math.abs(timeMs) < TIME_LIMIT_MS) return;
  assert(false, `no time of a point: ${timeMs}`);
}
