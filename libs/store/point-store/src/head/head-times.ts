import { grown } from '@tidemark/columns';
import { SharedTimes } from '@tidemark/page';
import { finishAtOnce } from '@tidemark/ports';
import { orderOf } from '../series/ascending.ts';
import { isStrictlyAscending } from '../series/resolve.ts';

/** Times in order, and for each of them where it was before. */
export interface OrderedTimes {
  readonly times: SharedTimes;
  readonly order: Uint32Array;
  /** No two are equal. */
  readonly areDistinct: boolean;
}

/** Times that one or more slots have had so far, in the order of arrival. */
export class HeadTimes {
  timesMs = new Float64Array(16);
  length = 0;
  /** Slots that have this class. */
  members = 0;
  /** Each time is after the one before it. */
  isAscending = true;
  /** All times are one step apart. */
  isRegular = true;
  /** Where slots left this class last, and for which: those that leave it in the same way share that one. */
  branch: { readonly at: number; readonly timeMs: number; readonly to: HeadTimes } | undefined;

  #ordered: OrderedTimes | undefined;
  #shared: SharedTimes | undefined;

  get lastMs(): number {
    return this.timesMs[this.length - 1];
  }

  push(timeMs: number): void {
    const { length, timesMs } = this;
    if (length > 0 && !(timeMs > timesMs[length - 1])) this.isAscending = false;
    if (length > 1 && timeMs - timesMs[length - 1] !== timesMs[1] - timesMs[0]) this.isRegular = false;
    if (this.length === this.timesMs.length) {
      this.timesMs = grown(this.timesMs, new Float64Array(2 * this.length), this.length);
    }
    this.timesMs[this.length++] = timeMs;
  }

  /** The first `count` times, which ascend, for all slots that have these. */
  shared(count: number): SharedTimes {
    if (this.#shared?.timesMs.length !== count) this.#shared = new SharedTimes(this.timesMs.slice(0, count));
    return this.#shared;
  }

  /** The first `count` times in order, for all slots that have these. */
  ordered(count: number): OrderedTimes {
    const known = this.#ordered;
    if (known?.order.length === count) return known;
    const order = finishAtOnce(orderOf(this.timesMs, 0, count));
    const timesMs = Float64Array.from(order, (i) => this.timesMs[i]);
    this.#ordered = { times: new SharedTimes(timesMs), order, areDistinct: isStrictlyAscending(timesMs, 0, count) };
    return this.#ordered;
  }

  /** New times, the first `length` of these. */
  copy(length: number): HeadTimes {
    const copy = new HeadTimes();
    copy.timesMs = new Float64Array(Math.max(16, 2 * length));
    for (let i = 0; i < length; i++) copy.push(this.timesMs[i]);
    return copy;
  }
}
