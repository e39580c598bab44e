import { Slots } from '@tidemark/ports';

/**
 * Requests of a tenant for one method that a thread works on at once. Each takes memory for the series that it has found,
 * so that many at once take longer, for the collection of garbage alone, than one after the other.
 */
const REQUESTS_OF_TENANT = 2;

interface Requests {
  readonly slots: Slots;
  /** Those that wait or are being answered. */
  count: number;
}

/**
 * The requests of tenants to the stores of one thread: tenants take turns, and each has few requests that have been begun. Those
 * for different methods do not wait for one another, since some take long and others do not.
 */
export class RequestTurns {
  readonly #yieldTurn: (tenant: string) => Promise<void>;
  /** By tenant and method. */
  readonly #requests = new Map<string, Requests>();

  constructor(yieldTurn: (tenant: string) => Promise<void>) {
    this.#yieldTurn = yieldTurn;
  }

  /** Pairs of a tenant and a method with requests. */
  get size(): number {
    return this.#requests.size;
  }

  /** Answers a request of a tenant in its turn. Throws the reason of `signal`, at once while the request waits for others. */
  async run<T>(tenant: string, method: string, signal: AbortSignal, answer: () => Promise<T>): Promise<T> {
    const key = `${method} ${tenant}`;
    const requests = this.#requests.get(key) ?? { slots: new Slots(REQUESTS_OF_TENANT), count: 0 };
    this.#requests.set(key, requests);
    requests.count++;
    try {
      return await requests.slots.run(async () => {
        await this.#yieldTurn(tenant);
        signal.throwIfAborted();
        return answer();
      }, signal);
    } finally {
      requests.count--;
      if (requests.count === 0) this.#requests.delete(key);
    }
  }
}
