import { grown, grownCapacity } from './grown.ts';

const INITIAL_POINTS = 64;

/** Points as parallel arrays: index i of each is one point. The arrays are replaced when they grow. */
export class PointColumns {
  /** The series of each point, as a small integer that the client or lane chose. */
  refs: Uint32Array<ArrayBuffer>;
  /** Integers, milliseconds since 1970 in UTC. */
  timesMs: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  /** Points in use; the arrays may be longer. */
  length = 0;

  constructor(capacity = INITIAL_POINTS) {
    this.refs = new Uint32Array(capacity);
    this.timesMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }

  push(ref: number, timeMs: number, value: number): void {
    const at = this.length;
    if (at === this.refs.length) this.reserve(1);
    this.refs[at] = ref;
    this.timesMs[at] = timeMs;
    this.values[at] = value;
    this.length = at + 1;
  }

  /** Makes room for `count` more points. */
  reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.refs.length) return;
    const capacity = grownCapacity(wanted, this.refs.length);
    this.refs = grown(this.refs, new Uint32Array(capacity), this.length);
    this.timesMs = grown(this.timesMs, new Float64Array(capacity), this.length);
    this.values = grown(this.values, new Float64Array(capacity), this.length);
  }

  /** Removes the points and keeps the memory. */
  clear(): void {
    this.length = 0;
  }
}

/** Sketches as parallel arrays, like `PointColumns`. */
export class SketchColumns {
  refs: Uint32Array<ArrayBuffer>;
  /** Integers, milliseconds since 1970 in UTC. */
  timesMs: Float64Array<ArrayBuffer>;
  /** Encoded sketches. After a decode they are views of the bytes that were decoded. */
  payloads: Uint8Array[] = [];
  /** Sketches in use; the typed arrays may be longer. */
  length = 0;

  constructor(capacity = INITIAL_POINTS) {
    this.refs = new Uint32Array(capacity);
    this.timesMs = new Float64Array(capacity);
  }

  push(ref: number, timeMs: number, payload: Uint8Array): void {
    const at = this.length;
    if (at === this.refs.length) this.reserve(1);
    this.refs[at] = ref;
    this.timesMs[at] = timeMs;
    this.payloads[at] = payload;
    this.length = at + 1;
  }

  /** Makes room for `count` more sketches. */
  reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.refs.length) return;
    const capacity = grownCapacity(wanted, this.refs.length);
    this.refs = grown(this.refs, new Uint32Array(capacity), this.length);
    this.timesMs = grown(this.timesMs, new Float64Array(capacity), this.length);
  }

  /** Removes the sketches, releases their payloads and keeps the typed arrays. */
  clear(): void {
    this.length = 0;
    this.payloads.length = 0;
  }
}
