/** Lines of an exposition that were left out for one reason. */
export interface BadLines {
  readonly count: number;
  /** Line number, from 1, of the first one; 0 when the reason concerns the whole body. */
  readonly line: number;
  /** The beginning of that line. */
  readonly example: string;
}

const EXAMPLE_CHARACTERS = 80;

/** Counts the lines left out of one body by reason, with the first line of each reason. */
export class BadLineCounts {
  readonly #byReason = new Map<string, { count: number; readonly line: number; readonly example: string }>();

  add(reason: string, line: number, text: string): void {
    const known = this.#byReason.get(reason);
    if (known !== undefined) known.count++;
    else this.#byReason.set(reason, { count: 1, line, example: text.slice(0, EXAMPLE_CHARACTERS) });
  }

  get byReason(): ReadonlyMap<string, BadLines> {
    return this.#byReason;
  }
}
