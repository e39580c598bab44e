/** A waiting timer. Timers are sorted by time, then by `tie`, then by order of setting. */
export interface QueuedTimer {
  readonly atMs: number;
  readonly tie: number;
  readonly order: number;
  readonly task: () => void;
  cancelled: boolean;
}

/** A binary heap of timers, the next one first. Cancelled timers are skipped when they are first. */
export class TimerQueue {
  readonly #heap: QueuedTimer[] = [];

  push(timer: QueuedTimer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(timer, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = timer;
  }

  /** Returns the next timer that is not cancelled, without removing it. */
  peek(): QueuedTimer | undefined {
    while (this.#heap.length > 0 && this.#heap[0].cancelled) this.pop();
    return this.#heap[0];
  }

  pop(): QueuedTimer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: QueuedTimer, b: QueuedTimer): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.tie !== b.tie ? a.tie < b.tie : a.order < b.order;
}
