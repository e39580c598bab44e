/** What has been started so far, so that a start that fails half-way leaves nothing running. */
export class Started {
  readonly #stops: (() => Promise<void>)[] = [];

  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  /** Stops everything, the newest first; a stop that fails doesn't keep the others from it. */
  async undo(): Promise<void> {
    await stopEach(this.#stops.reverse()).catch(() => undefined);
  }
}

/** Does these in order, each even when one before it failed; throws the first error at the end. */
export async function stopEach(stops: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of stops) await stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}
