import { PointColumns } from './point-columns.ts';

/**
 * Sorts points into the order of a share: by ref, then time, stable. It merges ascending runs: points of several
 * requests are a few runs, one or more per request. Reuses its memory from call to call.
 */
export class PointSorter {
  #from = new PointColumns(0);
  #to = new PointColumns(0);
  #starts = new Uint32Array(64);

  /** The sorted points: `points` itself when they are in order, else columns that the next call overwrites. */
  sort(points: PointColumns): PointColumns {
    let runs = this.#findRuns(points);
    let from = points;
    let to = this.#to;
    while (runs > 1) {
      to.clear();
      to.reserve(points.length);
      runs = this.#mergePairs(from, to, runs);
      to.length = points.length;
      // The input stays unchanged; only own columns are swapped.
      const next = from === points ? this.#from : from;
      from = to;
      to = next;
    }
    if (from !== points) {
      this.#from = from;
      this.#to = to;
    }
    return from;
  }

  /** Records the starts of ascending runs, and the end; returns the number of runs. */
  #findRuns({ refs, timesMs, length }: PointColumns): number {
    let runs = 1;
    this.#starts[0] = 0;
    for (let i = 1; i < length; i++) {
      if (refs[i] > refs[i - 1] || (refs[i] === refs[i - 1] && timesMs[i] >= timesMs[i - 1])) continue;
      if (runs + 2 > this.#starts.length) {
        const grown = new Uint32Array(this.#starts.length * 2);
        grown.set(this.#starts);
        this.#starts = grown;
      }
      this.#starts[runs++] = i;
    }
    this.#starts[runs] = length;
    return runs;
  }

  #mergePairs(from: PointColumns, to: PointColumns, runs: number): number {
    const starts = this.#starts;
    let merged = 0;
    for (let run = 0; run < runs; run += 2) {
      const start = starts[run];
      const middle = starts[run + 1];
      const end = run + 2 <= runs ? starts[run + 2] : middle;
      merge(from, to, start, middle, end);
      starts[merged++] = start;
    }
    starts[merged] = from.length;
    return merged;
  }
}

function merge(from: PointColumns, to: PointColumns, start: number, middle: number, end: number): void {
  const { refs, timesMs, values } = from;
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const isLeft =
      left < middle &&
      (right >= end || refs[left] < refs[right] || (refs[left] === refs[right] && timesMs[left] <= timesMs[right]));
    const i = isLeft ? left++ : right++;
    to.refs[at] = refs[i];
    to.timesMs[at] = timesMs[i];
    to.values[at] = values[i];
  }
}
