/** One `T` per tenant, cleared when the tenant's scope in the intake is replaced, since handles belong to a scope. */
export class ByTenant<T extends { clear(): void }> {
  readonly #make: () => T;
  /**
   * Values by tenant. The scope is weak: the intake must be able to release an idle tenant's scope with millions of
   * series.
   */
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
