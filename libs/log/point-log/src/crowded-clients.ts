/**
 * Max client sessions of one tenant that a partition remembers. It is a constant, because what is remembered is part of
 * the state, and the state must be a function of the log. Intakes refuse new client sessions far below it, by the setting
 * `intake.clientSessionsPerTenant`.
 */
export const CLIENT_SESSIONS = 100_000;
/** Share of a full tenant's client sessions that are dropped together, so that a search for them is rare. */
const DROPPED_SHARE = 1 / 8;

/** Part of a client session that decides which one is dropped first. */
interface SeenClient {
  readonly key: string;
  readonly tenant: string;
  /** Age of the partition at the client's last span. */
  readonly seenAtMs: number;
}

/** Counts the client sessions of each tenant, so that one tenant's cannot fill the memory. */
export class CrowdedClients {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit = CLIENT_SESSIONS) {
    this.#limit = limit;
  }

  added(tenant: string): void {
    this.#counts.set(tenant, (this.#counts.get(tenant) ?? 0) + 1);
  }

  removed(tenant: string): void {
    const count = (this.#counts.get(tenant) ?? 0) - 1;
    if (count > 0) this.#counts.set(tenant, count);
    else this.#counts.delete(tenant);
  }

  /**
   * Returns the clients to drop before another one of `tenant` is added: none below the limit, otherwise those that were
   * silent for the longest time. Equal contents give equal results, in any order.
   */
  surplus<T extends SeenClient>(tenant: string, clients: Iterable<T>): T[] {
    const count = this.#counts.get(tenant) ?? 0;
    if (count < this.#limit) return [];
    const own = [...clients].filter((client) => client.tenant === tenant);
    own.sort((a, b) => a.seenAtMs - b.seenAtMs || (a.key < b.key ? -1 : 1));
    return own.slice(0, count - this.#limit + Math.max(1, Math.floor(this.#limit * DROPPED_SHARE)));
  }
}
