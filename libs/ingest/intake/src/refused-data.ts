import type { RefusedData } from '@tidemark/contract';
import type { Clock } from '@tidemark/ports';

/** Characters of an example that are kept. */
const EXAMPLE_CHARACTERS = 300;

/** Cuts an example to the length that a status shows. */
export function cutExample(text: string): string {
  return text.length > EXAMPLE_CHARACTERS ? `${text.slice(0, EXAMPLE_CHARACTERS - 1)}…` : text;
}

interface Counted {
  count: number;
  example: string;
  lastMs: number;
}

/**
 * Counts by tenant and reason, with the first example of each. Reasons are of closed sets, so a tenant has few of them.
 */
export class CountsByReason {
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #sinceMs: number;
  readonly #byTenant = new Map<string, Map<string, Counted>>();

  constructor(clock: Pick<Clock, 'wallMs'>) {
    this.#clock = clock;
    this.#sinceMs = Math.floor(clock.wallMs());
  }

  /** Counts. The first example that is not empty is kept. */
  add(tenant: string, reason: string, count: number, example = ''): void {
    let counts = this.#byTenant.get(tenant);
    if (counts === undefined) {
      counts = new Map();
      this.#byTenant.set(tenant, counts);
    }
    const lastMs = Math.floor(this.#clock.wallMs());
    const known = counts.get(reason);
    if (known === undefined) counts.set(reason, { count, example: cutExample(example), lastMs });
    else {
      known.count += count;
      known.lastMs = lastMs;
      if (known.example === '') known.example = cutExample(example);
    }
  }

  /** Returns the counts of these tenants together, by reason. */
  of(...tenants: readonly string[]): Record<string, number> {
    return Object.fromEntries([...this.#merged(tenants)].map(([reason, { count }]) => [reason, count]));
  }

  /** Returns them with their examples and times, for the status. */
  list(stage: string, ...tenants: readonly string[]): RefusedData[] {
    const shared = { stage, client: '', sinceMs: this.#sinceMs };
    return [...this.#merged(tenants)].map(([reason, counted]) => ({ ...shared, reason, ...counted }));
  }

  #merged(tenants: readonly string[]): Map<string, Counted> {
    const merged = new Map<string, Counted>();
    for (const tenant of tenants) {
      for (const [reason, { count, example, lastMs }] of this.#byTenant.get(tenant) ?? []) {
        const known = merged.get(reason);
        merged.set(reason, {
          count: (known?.count ?? 0) + count,
          example: known?.example || example,
          lastMs: Math.max(known?.lastMs ?? lastMs, lastMs),
        });
      }
    }
    return merged;
  }
}
