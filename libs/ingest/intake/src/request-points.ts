import { PointColumns, SketchColumns } from '@tidemark/columns';
import { POINT_BYTES, SKETCH_BYTES, STEP_POINTS, STEP_SKETCH_BYTES, STEP_SKETCHES } from './request-limits.ts';

/** Numbers as columns, which the caller may own. `refs` are handles. */
export interface Numbers {
  readonly refs: Uint32Array;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly length: number;
}

const NO_NUMBERS: Numbers = new PointColumns(0);

/** Points of one request before it is sent, by handle. */
export class RequestPoints {
  readonly sketches = new SketchColumns(0);
  #numbers: Numbers = NO_NUMBERS;
  #own: PointColumns | undefined;
  #payloadBytes = 0;

  get numbers(): Numbers {
    return this.#numbers;
  }

  /** Number of numbers and sketches. */
  get count(): number {
    return this.#numbers.length + this.sketches.length;
  }

  /** Whether judging all points takes some milliseconds at most. */
  get isOneStep(): boolean {
    if (this.sketches.length > STEP_SKETCHES || this.#payloadBytes > STEP_SKETCH_BYTES) return false;
    return this.#numbers.length <= STEP_POINTS;
  }

  /** Bytes of memory of the points until they are answered. */
  get sizeBytes(): number {
    return this.count * POINT_BYTES + this.sketches.length * SKETCH_BYTES + this.#payloadBytes;
  }

  addNumber(handle: number, timeMs: number, value: number): void {
    this.own().push(handle, timeMs, value);
  }

  /** Adds numbers in lent columns. The first ones are not copied until `own` is called. */
  addNumbers(given: Numbers): void {
    if (this.#numbers.length === 0) this.#numbers = given;
    else append(this.own(), given);
  }

  addSketch(handle: number, timeMs: number, payload: Uint8Array): void {
    this.sketches.push(handle, timeMs, payload);
    this.#payloadBytes += payload.length;
  }

  /** Copies lent columns, so that their owner may use them again. */
  own(): PointColumns {
    if (this.#own === undefined) {
      this.#own = new PointColumns(0);
      append(this.#own, this.#numbers);
      this.#numbers = this.#own;
    }
    return this.#own;
  }

  /** Releases all points. */
  clear(): void {
    this.#numbers = NO_NUMBERS;
    this.#own = undefined;
    this.sketches.clear();
  }
}

function append(target: PointColumns, { refs, timesMs, values, length }: Numbers): void {
  target.reserve(length);
  target.refs.set(refs.subarray(0, length), target.length);
  target.timesMs.set(timesMs.subarray(0, length), target.length);
  target.values.set(values.subarray(0, length), target.length);
  target.length += length;
}
