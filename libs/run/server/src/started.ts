/** The parts that have been started so far; they are stopped in reverse order, also when a start fails half-way. */
export class Started {
  readonly #stops: (() => Promise<void>)[] = [];

  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  /** Stops everything, the newest first, each even when an earlier one failed; throws the first error at the end. */
  stop(): Promise<void> {
    return stopEach(this.#stops.splice(0).reverse());
  }

  /** Stops everything after a failed start, and ignores errors: the caller throws the error of the start. */
  async undo(): Promise<void> {
    await this.stop().catch(() => undefined);
  }
}

/** Runs `stops` in order, each even when an earlier one failed; throws the first error at the end. */
export async function stopEach(stops: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of stops) await stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}
