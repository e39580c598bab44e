/** One `T` a tenant, cleared when the tenant's scope in the intake is replaced: handles belong to a scope. */
export class ByTenant<T extends { clear(): void }> {
  readonly #make: () => T;
  /** Weak, so that the intake can release an idle tenant's scope, which may hold millions of series. */
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
