/**
 * One `T` per tenant, cleared when the tenant's scope in the intake is replaced, since handles belong to a scope.
 * Values of tenants whose scope the intake has released are removed when another tenant comes.
 */
export class ByTenant<T extends { clear(): void; leave(): void }> {
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
      this.#removeReleased();
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

  /** Number of tenants. */
  get size(): number {
    return this.#known.size;
  }

  #removeReleased(): void {
    for (const [tenant, { scope, remembered }] of this.#known) {
      if (scope.deref() !== undefined) continue;
      remembered.leave();
      this.#known.delete(tenant);
    }
  }
}
