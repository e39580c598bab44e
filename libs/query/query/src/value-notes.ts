import type { Frame } from '@tidemark/fold';

/** Counts infinite values; those are `null` in JSON, as steps without a value are in columns. */
export class InfiniteValues {
  #count = 0;

  /** Adds values. */
  add(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) if (isInfinite(values[i])) this.#count++;
  }

  /** What an answer with these values must say; undefined without one. */
  note(expression: string): string | undefined {
    if (this.#count === 0) return undefined;
    const are = this.#count === 1 ? '1 value is' : `${this.#count} values are`;
    return `${expression}: ${are} infinite (limit: 1.8e308), as points were sent, or by arithmetic; JSON has null there, which is not 0 and not an empty step`;
  }
}

function isInfinite(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

/** True when a frame has a value from the step `fromStep` on. It stops at the first. */
export function hasValue({ series, steps }: Frame, fromStep = 0): boolean {
  return series.some(({ values }) => {
    for (let step = fromStep; step < steps; step++) if (!Number.isNaN(values[step])) return true;
    return false;
  });
}
