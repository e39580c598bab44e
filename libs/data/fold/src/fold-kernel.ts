import { TIME_FOLD, type TimeFold } from './fold.ts';
import type { FoldProgram } from './fold-program.ts';
import { FOLD_WASM } from './generated/fold.ts';

const compiled = new WebAssembly.Module(Buffer.from(FOLD_WASM, 'base64'));
const ALIGNMENT = 16;
/** The number of each fold for `foldHeld`. */
const HELD: Partial<Record<TimeFold, number>> = {
  [TIME_FOLD.avg]: 0,
  [TIME_FOLD.min]: 1,
  [TIME_FOLD.max]: 2,
  [TIME_FOLD.last]: 3,
};

interface Loops {
  foldSums(
    a: number,
    b: number,
    isDifference: number,
    program: number,
    end: number,
    outA: number,
    outB: number,
    weights: number,
  ): number;
  foldHeld(
    a: number,
    b: number,
    fold: number,
    program: number,
    end: number,
    outA: number,
    outB: number,
    weights: number,
    durations: number,
  ): number;
  addSteps(values: number, count: number, sum: number, stride: number): void;
  areWhole(values: number, count: number): number;
}

/** The memory in which a kernel works: that of a PageKernel. */
export interface FoldMemory {
  readonly memory: WebAssembly.Memory;
  /** All of the memory. Other arrays once it has grown. */
  readonly bytes: Uint8Array;
  readonly floats: Float64Array;
  /** Makes room up to `end`. */
  reserve(end: number): void;
}

/** Where a program lies in the memory, and where its results go. */
export interface ProgramPlace {
  readonly steps: number;
  readonly records: number;
  readonly recordsEnd: number;
  readonly weights: number;
  readonly durations: number;
  /** By step, what stands in place of the result, or 0: of a count. */
  readonly counts: number;
  /** Where the results of the two columns begin. */
  readonly outA: number;
  readonly outB: number;
}

/** The loops of fold.wat. Two columns of values of the same times are folded at once. */
export class FoldKernel {
  readonly #memory: FoldMemory;
  readonly #loops: Loops;
  #fold: TimeFold = TIME_FOLD.avg;
  #place: ProgramPlace = NOWHERE;

  constructor(memory: FoldMemory) {
    this.#memory = memory;
    this.#loops = new WebAssembly.Instance(compiled, { tidemark: { memory: memory.memory } })
      .exports as unknown as Loops;
  }

  /** Where the results of the two columns begin. */
  get outA(): number {
    return this.#place.outA;
  }

  get outB(): number {
    return this.#place.outB;
  }

  /** Puts a program at address `at` of the memory, a multiple of 16; returns the first address behind it and its results. */
  load(fold: TimeFold, program: FoldProgram, at: number): number {
    const { records, weights, durationsMs, counts } = program;
    const stepsBytes = 8 * weights.length;
    const recordsEnd = at + records.length;
    const durations = recordsEnd + stepsBytes;
    const outA = durations + 8 * durationsMs.length;
    const outB = outA + stepsBytes;
    const countsAt = outB + stepsBytes;
    const end = (countsAt + (counts === undefined ? 0 : stepsBytes) + ALIGNMENT - 1) & -ALIGNMENT;
    const memory = this.#memory;
    memory.reserve(end);
    memory.bytes.set(records, at);
    memory.floats.set(weights, recordsEnd / 8);
    memory.floats.set(durationsMs, durations / 8);
    if (counts !== undefined) memory.floats.set(counts, countsAt / 8);
    const place = { records: at, recordsEnd, weights: recordsEnd, durations, outA, outB };
    this.use(fold, { ...place, steps: weights.length, counts: counts === undefined ? 0 : countsAt });
    return end;
  }

  /** Takes a program that lies in the memory. */
  use(fold: TimeFold, place: ProgramPlace): void {
    this.#fold = fold;
    this.#place = place;
  }

  /**
   * Folds the columns at addresses `a` and `b`, which begin with the first of the program's times, to `outA` and
   * `outB`, one value a step. False where the program does not hold for one of them; then no result does. `areWhole` says that
   * all values are integers as of `areWhole`: what is faster then gives the same results.
   */
  run(a: number, b: number, areWhole = false): boolean {
    const { records, recordsEnd, outA, outB, weights, durations, counts, steps } = this.#place;
    const held = HELD[this.#fold];
    if (held !== undefined) {
      return this.#loops.foldHeld(a, b, held, records, recordsEnd, outA, outB, weights, durations) === 1;
    }
    let isDifference = 0;
    if (this.#fold === TIME_FOLD.increase || this.#fold === TIME_FOLD.rate) isDifference = areWhole ? 2 : 1;
    const divisors = this.#fold === TIME_FOLD.rate ? weights : 0;
    if (this.#loops.foldSums(a, b, isDifference, records, recordsEnd, outA, outB, divisors) === 0) return false;
    if (counts !== 0) {
      const { bytes } = this.#memory;
      bytes.copyWithin(outA, counts, counts + 8 * steps);
      bytes.copyWithin(outB, counts, counts + 8 * steps);
    }
    return true;
  }

  /**
   * Adds `count` values at address `values`, of ordinary size, to the compensated sums at address `sum`, whose rests and
   * residues follow `stride` and twice `stride` bytes behind.
   */
  addSteps(values: number, count: number, sum: number, stride: number): void {
    this.#loops.addSteps(values, count, sum, stride);
  }

  /** Whether `count` values at an address are integers below 2^51 in size, and none is -0. */
  areWhole(values: number, count: number): boolean {
    return this.#loops.areWhole(values, count) === 1;
  }
}

const NOWHERE: ProgramPlace = {
  steps: 0,
  records: 0,
  recordsEnd: 0,
  weights: 0,
  durations: 0,
  counts: 0,
  outA: 0,
  outB: 0,
};
