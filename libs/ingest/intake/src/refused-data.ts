import type { RefusedData } from '@tidemark/contract';

/** Characters of an example that are kept. */
const EXAMPLE_CHARACTERS = 300;

/** Cuts an example to the length that a status shows. */
export function cutExample(text: string): string {
  return text.length > EXAMPLE_CHARACTERS ? `${text.slice(0, EXAMPLE_CHARACTERS - 1)}…` : text;
}

interface Counted {
  count: number;
  example: string;
}

/**
 * Counts by tenant and reason, with the first example of each. Reasons are of closed sets, so a tenant has few of them.
 */
export class CountsByReason {
  readonly #byTenant = new Map<string, Map<string, Counted>>();

  /** Counts. The first example that is not empty is kept. */
  add(tenant: string, reason: string, count: number, example = ''): void {
    let counts = this.#byTenant.get(tenant);
    if (counts === undefined) {
      counts = new Map();
      this.#byTenant.set(tenant, counts);
    }
    const known = counts.get(reason);
    if (known === undefined) counts.set(reason, { count, example: cutExample(example) });
    else {
      known.count += count;
      if (known.example === '') known.example = cutExample(example);
    }
  }

  /** Returns the counts of these tenants together, by reason. */
  of(...tenants: readonly string[]): Record<string, number> {
    return Object.fromEntries([...this.#merged(tenants)].map(([reason, { count }]) => [reason, count]));
  }

  /** Returns them with their examples, for the status. */
  list(stage: string, ...tenants: readonly string[]): RefusedData[] {
    return [...this.#merged(tenants)].map(([reason, counted]) => ({ stage, client: '', reason, ...counted }));
  }

  #merged(tenants: readonly string[]): Map<string, Counted> {
    const merged = new Map<string, Counted>();
    for (const tenant of tenants) {
      for (const [reason, { count, example }] of this.#byTenant.get(tenant) ?? []) {
        const known = merged.get(reason);
        merged.set(reason, { count: (known?.count ?? 0) + count, example: known?.example || example });
      }
    }
    return merged;
  }
}
