/** What a piece of work does between its slices: waits until other work of the thread had its turn. */
export type Pause = () => Promise<void>;

interface Waiting {
  readonly tenant: string;
  readonly start: () => void;
}

/**
 * Shares a few places for work among tenants. A tenant has a bounded part of the places, and of those who wait the tenant
 * is next that has had the fewest slices of work, since no tenant had any. So one tenant with much
 * work delays the others by at most the work that is running.
 */
export class Turns {
  readonly #places: number;
  readonly #placesPerTenant: number;
  readonly #yieldTurn: Pause;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<string, number>();
  /** Slices by tenant; a tenant that comes back begins at `#level`. */
  readonly #spent = new Map<string, number>();
  #level = 0;
  #taken = 0;

  constructor(places: number, placesPerTenant: number, yieldTurn: Pause) {
    this.#places = places;
    this.#placesPerTenant = placesPerTenant;
    this.#yieldTurn = yieldTurn;
  }

  /** Runs `work` when it is the tenant's turn. */
  async run<T>(tenant: string, work: (pause: Pause) => Promise<T>): Promise<T> {
    if (!this.#hasPlace(tenant)) await new Promise<void>((start) => this.#waiting.push({ tenant, start }));
    else this.#take(tenant);
    try {
      this.#spend(tenant);
      return await work(() => {
        this.#spend(tenant);
        return this.#yieldTurn();
      });
    } finally {
      this.#leave(tenant);
    }
  }

  #hasPlace(tenant: string): boolean {
    return this.#taken < this.#places && (this.#running.get(tenant) ?? 0) < this.#placesPerTenant;
  }

  #take(tenant: string): void {
    this.#taken++;
    this.#running.set(tenant, (this.#running.get(tenant) ?? 0) + 1);
    this.#level = Math.max(
      this.#level,
      Math.min(this.#spentBy(tenant), ...this.#waiting.map((one) => this.#spentBy(one.tenant))),
    );
  }

  #leave(tenant: string): void {
    this.#taken--;
    const running = (this.#running.get(tenant) ?? 0) - 1;
    if (running > 0) this.#running.set(tenant, running);
    else this.#running.delete(tenant);
    const next = this.#next();
    if (next === undefined) {
      if (this.#taken === 0) this.#forget();
      return;
    }
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#take(next.tenant);
    next.start();
  }

  /** Of those who may start, the first of the tenant with the fewest slices. */
  #next(): Waiting | undefined {
    let best: Waiting | undefined;
    for (const one of this.#waiting) {
      if (!this.#hasPlace(one.tenant)) continue;
      if (best === undefined || this.#spentBy(one.tenant) < this.#spentBy(best.tenant)) best = one;
    }
    return best;
  }

  #spentBy(tenant: string): number {
    return Math.max(this.#level, this.#spent.get(tenant) ?? 0);
  }

  #spend(tenant: string): void {
    this.#spent.set(tenant, this.#spentBy(tenant) + 1);
  }

  #forget(): void {
    this.#spent.clear();
    this.#level = 0;
  }
}
