/** The tags that the agent adds to every series. */
export class HostTags {
  readonly #withHost: readonly string[];
  readonly #withoutHost: readonly string[];

  constructor(hostname: string, tags: readonly string[]) {
    this.#withoutHost = tags;
    this.#withHost = [`host:${hostname}`, ...tags];
  }

  /** Returns `tags` and the host's own tags; a `host:` tag of the sender replaces the host's. */
  addedTo(tags: readonly string[]): readonly string[] {
    const named = tags.some((tag) => tag.startsWith('host:'));
    // Sorted, because the client caches each spelling that it receives.
    return [...tags, ...(named ? this.#withoutHost : this.#withHost)].sort();
  }
}
