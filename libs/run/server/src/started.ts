/** What has been started so far, to be stopped in good order, or when a start fails half-way. */
export class Started {
  readonly #stops: (() => Promise<void>)[] = [];

  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  /** Stops everything, the newest first, each even when one before it failed; throws the first error at the end. */
  stop(): Promise<void> {
    return stopEach(this.#stops.splice(0).reverse());
  }

  /** As `stop`, after a start that failed: that error counts, and no other. */
  async undo(): Promise<void> {
    await this.stop().catch(() => undefined);
  }
}

/** Does these in order, each even when one before it failed; throws the first error at the end. */
export async function stopEach(stops: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of stops) await stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}
