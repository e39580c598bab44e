/** What is remembered of each tenant beside its scope in the intake: it starts over when that is another. */
export class ByTenant<T extends { clear(): void }> {
  readonly #make: () => T;
  readonly #known = new Map<string, { scope: object; readonly remembered: T }>();

  constructor(make: () => T) {
    this.#make = make;
  }

  of(tenant: string, scope: object): T {
    const known = this.#known.get(tenant);
    if (known === undefined) {
      const remembered = this.#make();
      this.#known.set(tenant, { scope, remembered });
      return remembered;
    }
    if (known.scope !== scope) {
      known.remembered.clear();
      known.scope = scope;
    }
    return known.remembered;
  }
}
