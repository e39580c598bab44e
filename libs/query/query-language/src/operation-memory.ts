import type { Frame, Operand, Work } from '@tidemark/fold';

/** Takes the memory of frames from a budget, in bytes. */
export interface FrameMemory {
  /** Throws when the budget does not have so much left. */
  take(bytes: number): void;
  release(bytes: number): void;
}

export const UNLIMITED: FrameMemory = { take: () => undefined, release: () => undefined };

/** What a series takes apart from its values. */
const SERIES_BYTES = 256;
const VALUE_BYTES = 8;

/** The memory of the series of a frame with `steps` steps. */
export function frameBytes(series: number, steps: number): number {
  return series * (SERIES_BYTES + steps * VALUE_BYTES);
}

/** Takes the memory of an operation's result before it begins, and gives back that of its operands when it has ended. */
export class OperationMemory {
  readonly #memory: FrameMemory;
  /** The columns of the leaves, which were taken from the budget when they were read. */
  readonly #leaves = new Set<ArrayBufferLike>();

  constructor(memory: FrameMemory) {
    this.#memory = memory;
  }

  addLeaf(frame: Frame): void {
    for (const { values } of frame.series) this.#leaves.add(values.buffer);
  }

  /** The result of `work` over operands that nothing else uses. */
  *within<T extends Operand>(operands: readonly Operand[], work: Work<T>): Work<T> {
    const frames = operands.filter((operand) => typeof operand !== 'number');
    // No operation makes more series than its largest operand has, nor more steps.
    const expected = Math.max(0, ...frames.map(({ series, steps }) => frameBytes(series.length, steps)));
    this.#memory.take(expected);
    const result = yield* work;
    const before = frames.reduce((bytes, frame) => bytes + this.#ownBytes(frame), expected);
    const after = typeof result === 'number' ? 0 : this.#ownBytes(result);
    if (after > before) this.#memory.take(after - before);
    else this.#memory.release(before - after);
    return result;
  }

  /** The memory of a frame's columns that are not a leaf's. */
  #ownBytes(frame: Frame): number {
    let bytes = 0;
    for (const { values } of frame.series) {
      if (!this.#leaves.has(values.buffer)) bytes += SERIES_BYTES + values.buffer.byteLength;
    }
    return bytes;
  }
}
