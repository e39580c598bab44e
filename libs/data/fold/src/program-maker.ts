import type { StatedIntervals } from '@tidemark/model';
import { assert } from '@tidemark/ports';
import { TIME_FOLD } from './fold.ts';
import type { FoldMemory, ProgramPlace } from './fold-kernel.ts';
import { hasProgram } from './fold-program.ts';
import { PROGRAM_WASM } from './generated/program.ts';
import { RECORD_BYTES } from './program-records.ts';
import type { TimeFolderOptions } from './time-folder.ts';

const compiled = new WebAssembly.Module(Buffer.from(PROGRAM_WASM, 'base64'));
const ALIGNMENT = 16;
/** Room for five gaps. */
const SCRATCH_BYTES = 48;
const STATEMENT_BYTES = 16;
/** Steps up to that long, ms: a float64 says exactly in which one a time lies, also half a millisecond of it. */
const STEP_LIMIT_MS = 2 ** 35;
/** Ranges lie within it, as times do. */
const TIME_LIMIT_MS = 2 ** 51;
/** The numbers of `make`. */
const KIND = { increases: 0, within: 1, readings: 2, amounts: 3, heldAmounts: 4 } as const;

interface Loops {
  setRange(
    fromMs: number,
    stepMs: number,
    steps: number,
    metricMs: number,
    scratch: number,
    weights: number,
    present: number,
    lastTimes: number,
  ): void;
  make(
    kind: number,
    times: number,
    count: number,
    stated: number,
    statedEnd: number,
    durations: number,
    records: number,
  ): number;
  ascends(times: number, count: number): number;
  readonly first: { readonly value: number };
  readonly end: { readonly value: number };
}

/** Whether a maker makes what `foldProgram` makes: sums of times that are integers are exact in any order. */
export function canMakeProgram({ fold, fromMs, stepMs, steps }: TimeFolderOptions): boolean {
  const isWithin = Math.abs(fromMs) < TIME_LIMIT_MS && stepMs <= STEP_LIMIT_MS && steps * stepMs < TIME_LIMIT_MS;
  return hasProgram(fold) && isWithin && Number.isInteger(fromMs) && Number.isInteger(stepMs);
}

/**
 * Makes the program of one column of times after the other (program.wat), in the memory in which a FoldKernel runs it: what
 * `foldProgram` makes for many columns with the same times.
 */
export class ProgramMaker {
  readonly #memory: FoldMemory;
  readonly #loops: Loops;
  #fold: TimeFolderOptions['fold'] = TIME_FOLD.avg;
  #at = 0;
  #steps = 0;
  #recordsEnd = 0;
  #records = 0;
  #durations = 0;

  constructor(memory: FoldMemory) {
    this.#memory = memory;
    this.#loops = new WebAssembly.Instance(compiled, { tidemark: { memory: memory.memory } })
      .exports as unknown as Loops;
  }

  /**
   * Begins with a range, of which `canMakeProgram` is true. What is the same for all columns lies at address `at` of the
   * memory, a multiple of 16; returns the first address behind it.
   */
  begin(options: TimeFolderOptions, at: number): number {
    assert(canMakeProgram(options), 'programs of such ranges can be made');
    const { fold, fromMs, stepMs, steps, intervalMs = 0 } = options;
    this.#fold = fold;
    this.#at = at;
    this.#steps = steps;
    const end = (this.presentAt + steps + ALIGNMENT - 1) & -ALIGNMENT;
    this.#memory.reserve(end);
    this.#loops.setRange(
      fromMs,
      stepMs,
      steps,
      intervalMs,
      at,
      this.#column(WEIGHTS),
      this.presentAt,
      this.#column(LAST),
    );
    return end;
  }

  /** Whether each of `count` times at an address, at least one, is after the one before it. */
  ascends(timesAt: number, count: number): boolean {
    return this.#loops.ascends(timesAt, count) === 1;
  }

  /**
   * Makes the program of `count` times at address `timesAt`, which ascend, no two equal, with the context that
   * `TimeFolder.foldPoints` needs. It uses the memory behind address `at`, a multiple of 16. False where there is none.
   */
  make(
    isAmount: boolean,
    timesAt: number,
    count: number,
    { sinceMs, intervalsMs }: StatedIntervals,
    at: number,
  ): boolean {
    const memory = this.#memory;
    const steps = this.#steps;
    this.#durations = at + STATEMENT_BYTES * sinceMs.length;
    // With those of the amount that is found to be out of order.
    this.#records = this.#durations + 8 * ((count + steps + 2) & ~1);
    memory.reserve(this.#records + RECORD_BYTES * (2 * count + 3 * steps + 4));
    for (let i = 0; i < sinceMs.length; i++) {
      memory.floats[at / 8 + 2 * i] = sinceMs[i];
      memory.floats[at / 8 + 2 * i + 1] = intervalsMs[i];
    }
    const kind = kindOf(this.#fold, isAmount);
    const end = this.#loops.make(kind, timesAt, count, at, this.#durations, this.#durations, this.#records);
    this.#recordsEnd = end;
    return end !== 0;
  }

  /** Where the program lies that was made last. */
  get place(): ProgramPlace {
    const weights = this.#column(WEIGHTS);
    return {
      steps: this.#steps,
      records: this.#records,
      recordsEnd: this.#recordsEnd,
      weights,
      durations: this.#durations,
      counts: this.#fold === TIME_FOLD.count ? weights : 0,
      outA: this.#column(OUT_A),
      outB: this.#column(OUT_B),
    };
  }

  /** The steps outside of which the last program has nothing, as of FoldProgram. */
  get first(): number {
    return this.#loops.first.value;
  }

  get end(): number {
    return this.#loops.end.value;
  }

  /** Where the times of the steps' newest points lie, and which steps have something: one byte for each. */
  get lastTimesAt(): number {
    return this.#column(LAST);
  }

  get presentAt(): number {
    return this.#column(COLUMNS);
  }

  #column(column: number): number {
    return this.#at + SCRATCH_BYTES + 8 * this.#steps * column;
  }
}

/** Columns of values, one a step, in the order in which they lie. */
const [WEIGHTS, OUT_A, OUT_B, LAST, COLUMNS] = [0, 1, 2, 3, 4];

function kindOf(fold: TimeFolderOptions['fold'], isAmount: boolean): number {
  switch (fold) {
    case TIME_FOLD.increase:
    case TIME_FOLD.rate:
      return KIND.increases;
    case TIME_FOLD.count:
    case TIME_FOLD.points:
      return KIND.within;
    case TIME_FOLD.sum:
      return isAmount ? KIND.amounts : KIND.within;
    default:
      return isAmount ? KIND.heldAmounts : KIND.readings;
  }
}
