import { grown, grownCapacity } from '@tidemark/columns';

const INITIAL_POINTS = 128;

/** Points of one series as parallel arrays. The arrays are replaced when they grow. */
export class SeriesPoints {
  /** Integers, milliseconds since 1970 in UTC. */
  timesMs: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  /** Points in use; the arrays may be longer. */
  length = 0;

  constructor(capacity = INITIAL_POINTS) {
    this.timesMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }

  push(timeMs: number, value: number): void {
    const at = this.length;
    if (at === this.timesMs.length) this.reserve(1);
    this.timesMs[at] = timeMs;
    this.values[at] = value;
    this.length = at + 1;
  }

  /** Makes room for `count` more points. */
  reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.timesMs.length) return;
    const capacity = grownCapacity(wanted, this.timesMs.length);
    this.timesMs = grown(this.timesMs, new Float64Array(capacity), this.length);
    this.values = grown(this.values, new Float64Array(capacity), this.length);
  }

  /** Removes the points and keeps the memory. */
  clear(): void {
    this.length = 0;
  }
}

/** Sketches of one series as parallel arrays, like `SeriesPoints`. */
export class SeriesSketches {
  /** Integers, milliseconds since 1970 in UTC. */
  timesMs: Float64Array<ArrayBuffer>;
  /** Encoded sketches.. */
  payloads: Uint8Array[] = [];
  /** Sketches in use; the typed array may be longer. */
  length = 0;

  constructor(capacity = INITIAL_POINTS) {
    this.timesMs = new Float64Array(capacity);
  }

  push(timeMs: number, payload: Uint8Array): void {
    if (this.length === this.timesMs.length) this.reserve(1);
    this.timesMs[this.length] = timeMs;
    this.payloads[this.length] = payload;
    this.length++;
  }

  /** Makes room for `count` more sketches. */
  reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.timesMs.length) return;
    const capacity = grownCapacity(wanted, this.timesMs.length);
    this.timesMs = grown(this.timesMs, new Float64Array(capacity), this.length);
  }

  /** Removes the sketches, releases their payloads and keeps the typed array. */
  clear(): void {
    this.length = 0;
    this.payloads.length = 0;
  }
}
