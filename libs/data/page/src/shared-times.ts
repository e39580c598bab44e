import { ByteWriter } from '@tidemark/bytes';
import { TIME_LIMIT_MS, writeTimeBlocks } from '@tidemark/columns';
import { assert } from '@tidemark/ports';
import { PAGE_TIMES_LIMIT } from './page-format.ts';

/** Times that slots of many pages have: checked once, and encoded once for all pages that begin at the same time. */
export class SharedTimes {
  readonly timesMs: Float64Array;
  /** As in `TimeClass`. */
  readonly stepMs: number;
  /** Of the page for which they were encoded last. */
  #originMs = Number.NaN;
  #encoded: Uint8Array = new Uint8Array(0);

  /** 1 to `PAGE_TIMES_LIMIT` times, non-decreasing integers, which stay as they are. */
  constructor(timesMs: Float64Array) {
    this.timesMs = timesMs;
    this.stepMs = checkedStep(timesMs, 0, timesMs.length);
  }

  /** Writes what `writeTimeBlocks` writes of them. */
  write(originMs: number, out: ByteWriter): void {
    if (this.#originMs !== originMs) {
      const own = new ByteWriter(2 * this.timesMs.length);
      writeTimeBlocks(this.timesMs, 0, this.timesMs.length, originMs, own);
      this.#encoded = own.take();
      this.#originMs = originMs;
    }
    out.bytes(this.#encoded);
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
  if (count === 1) return 0;
  const stepMs = timesMs[from + 1] - timesMs[from];
  for (let i = from + 2; i < to; i++) if (timesMs[i] - timesMs[i - 1] !== stepMs) return -1;
  return stepMs;
}

export function assertTime(timeMs: number): void {
  if (Number.isInteger(timeMs) && Math.abs(timeMs) < TIME_LIMIT_MS) return;
  assert(false, `no time of a point: ${timeMs}`);
}
