interface Waiting {
  /** Waits for the requests with smaller numbers. */
  readonly before: number;
  readonly left: () => void;
}

interface OfTenant {
  /** Numbers of the requests that are here, in order of arrival. */
  readonly numbers: Set<number>;
  readonly waiting: Waiting[];
}

/**
 * Requests whose bodies have arrived and whose points are in no batch yet, by tenant: they wait for their turn, or are being
 * decoded. A batch waits for those that are here when it could be sent, never for later ones, so its wait ends however many
 * follow.
 */
export class ArrivedRequests {
  readonly #tenants = new Map<string, OfTenant>();
  #next = 0;

  /**
   * Adds a request. Call the returned function when its points were added or never will be; a second call has no effect.
   */
  arrive(tenant: string): () => void {
    const number = this.#next++;
    const own = this.#tenants.get(tenant) ?? { numbers: new Set(), waiting: [] };
    this.#tenants.set(tenant, own);
    own.numbers.add(number);
    return () => {
      if (own.numbers.delete(number)) this.#left(tenant, own);
    };
  }

  /** Calls `left` once the tenant's requests that are here now have left; at once when there is none. */
  afterThese(tenant: string, left: () => void): void {
    const own = this.#tenants.get(tenant);
    if (own === undefined) left();
    else own.waiting.push({ before: this.#next, left });
  }

  #left(tenant: string, { numbers, waiting }: OfTenant): void {
    const [oldest = this.#next] = numbers;
    if (numbers.size === 0) this.#tenants.delete(tenant);
    while (waiting.length > 0 && waiting[0].before <= oldest) waiting.shift()?.left();
  }
}
