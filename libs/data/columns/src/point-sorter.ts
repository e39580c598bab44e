import { PointColumns } from './point-columns.ts';

/** Max number of pieces that are put in order as wholes. */
const MAX_PIECES = 256;

/**
 * Sorts points into the order of a share: by ref, then time, stable. It merges ascending runs: points of several
 * requests are a few runs, one or more per request. Those of different series only change their places. Reuses its memory
 * from call to call.
 */
export class PointSorter {
  #from = new PointColumns(0);
  #to = new PointColumns(0);
  #starts = new Uint32Array(64);

  /** The sorted points: `points` itself when they are in order, else columns that the next call overwrites. */
  sort(points: PointColumns): PointColumns {
    let runs = this.#findRuns(points);
    if (runs > 1 && this.#arrange(points)) return this.#to;
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

  /**
   * Copies pieces with refs without a gap, as of the series of one request, in their order. Returns false, without a result,
   * when two overlap, or when there are too many.
   */
  #arrange(points: PointColumns): boolean {
    const starts = findPieces(points);
    if (starts.length > MAX_PIECES) return false;
    const pieces = starts.map((start, i) => ({ start, end: starts[i + 1] ?? points.length }));
    pieces.sort((a, b) => compare(points, a.start, b.start));
    for (let i = 1; i < pieces.length; i++) {
      if (compare(points, pieces[i - 1].end - 1, pieces[i].start) >= 0) return false;
    }
    const to = this.#to;
    to.clear();
    to.reserve(points.length);
    for (const { start, end } of pieces) {
      to.refs.set(points.refs.subarray(start, end), to.length);
      to.timesMs.set(points.timesMs.subarray(start, end), to.length);
      to.values.set(points.values.subarray(start, end), to.length);
      to.length += end - start;
    }
    return true;
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

/** Returns the starts of ascending pieces in which no ref is left out; up to one more than `MAX_PIECES`. */
function findPieces({ refs, timesMs, length }: PointColumns): number[] {
  const starts = [0];
  for (let i = 1; i < length && starts.length <= MAX_PIECES; i++) {
    const step = refs[i] - refs[i - 1];
    if (step === 1 || (step === 0 && timesMs[i] >= timesMs[i - 1])) continue;
    starts.push(i);
  }
  return starts;
}

/** Compares two points by ref, then time. */
function compare({ refs, timesMs }: PointColumns, a: number, b: number): number {
  return refs[a] - refs[b] || timesMs[a] - timesMs[b];
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
