/** Which dictionary entries of each lane are on disk, so that they can go when their epoch is over. */
export class SavedDictionaries {
  readonly #keys = new Map<string, Uint8Array[]>();

  remember(lane: string, key: Uint8Array): void {
    const keys = this.#keys.get(lane);
    if (keys === undefined) this.#keys.set(lane, [key]);
    else keys.push(key);
  }

  /** The keys of all entries of a lane. */
  keys(lane: string): readonly Uint8Array[] {
    return this.#keys.get(lane) ?? [];
  }

  forget(lane: string): void {
    this.#keys.delete(lane);
  }
}
