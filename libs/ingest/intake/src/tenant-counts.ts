import type { Rejection } from '@tidemark/contract';

/** Counts by tenant and reason. Reasons are of closed sets, so a tenant has few counts. */
export class TenantCounts {
  readonly #rejected = new Map<string, Map<string, number>>();
  readonly #leftOut = new Map<string, Map<string, number>>();

  /** Counts the refused points of an accepted or refused batch. */
  reject(tenant: string, rejections: readonly Rejection[]): void {
    for (const { reason, points } of rejections) add(this.#rejected, tenant, reason, points);
  }

  /** Counts data of a settled request that is valid but has no place in the platform. */
  leaveOut(tenant: string, leftOut: ReadonlyMap<string, number>): void {
    for (const [reason, count] of leftOut) add(this.#leftOut, tenant, reason, count);
  }

  rejectedOf(tenant: string): Record<string, number> {
    return Object.fromEntries(this.#rejected.get(tenant) ?? []);
  }

  leftOutOf(tenant: string): Record<string, number> {
    return Object.fromEntries(this.#leftOut.get(tenant) ?? []);
  }
}

function add(byTenant: Map<string, Map<string, number>>, tenant: string, reason: string, count: number): void {
  let counts = byTenant.get(tenant);
  if (counts === undefined) {
    counts = new Map();
    byTenant.set(tenant, counts);
  }
  counts.set(reason, (counts.get(reason) ?? 0) + count);
}
