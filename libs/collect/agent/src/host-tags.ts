/** The tags that the agent adds to every series. */
export class HostTags {
  readonly #withHost: readonly string[];
  readonly #withoutHost: readonly string[];

  constructor(hostname: string, tags: readonly string[]) {
    this.#withoutHost = tags;
    this.#withHost = [`host:${hostname}`, ...tags];
  }

  /** `tags` and the host's own; a sender that names a `host:` speaks for that one. */
  addedTo(tags: readonly string[]): readonly string[] {
    const named = tags.some((tag) => tag.startsWith('host:'));
    // Sorted, as the client wants them: it keeps each spelling that it meets.
    return [...tags, ...(named ? this.#withoutHost : this.#withHost)].sort();
  }
}
