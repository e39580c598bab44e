/** What is remembered of each tenant beside its scope in the intake: it starts over when that is another. */
export class ByTenant<T extends { clear(): void }> {
  readonly #make: () => T;
  /** An idle tenant's scope is the intake's to let go of: it may hold millions of series. */
  readonly #known = new Map<string, { scope: WeakRef<object>; readonly remembered: T }>();

  constructor(make: () => T) {
    this.#make = make;
  }

  of(tenant: string, scope: object): T {
    const known = this.#known.get(tenant);
    if (known === undefined) {
      const remembered = this.#make();
      this.#known.set(tenant, { scope: new WeakRef(scope), remembered });
      return remembered;
    }
    if (known.scope.deref() !== scope) {
      known.remembered.clear();
      known.scope = new WeakRef(scope);
    }
    return known.remembered;
  }
}
