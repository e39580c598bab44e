import type { Rejection } from '@tidemark/contract';
import type { RequestLimits } from './request-limits.ts';

/** Bytes of requests without an answer, per tenant and in total, each with a limit. */
export class PendingBytes {
  readonly #limits: Pick<RequestLimits, 'pendingBytes' | 'pendingBytesPerTenant'>;
  readonly #byTenant = new Map<string, number>();
  #all = 0;

  constructor(limits: Pick<RequestLimits, 'pendingBytes' | 'pendingBytesPerTenant'>) {
    this.#limits = limits;
  }

  get all(): number {
    return this.#all;
  }

  /** Returns true for more bytes than a tenant may have at all: no retry can succeed. */
  isTooLarge(sizeBytes: number): boolean {
    return sizeBytes > this.#limits.pendingBytesPerTenant;
  }

  /** Reserves the bytes, or returns why there is no room now. Call `release` once for each reservation. */
  reserve(tenant: string, sizeBytes: number): Rejection | undefined {
    const { pendingBytes, pendingBytesPerTenant } = this.#limits;
    const own = this.#byTenant.get(tenant) ?? 0;
    if (own + sizeBytes > pendingBytesPerTenant) {
      return refusal('tenant_pending', 'pendingBytesPerTenant', pendingBytesPerTenant);
    }
    if (this.#all + sizeBytes > pendingBytes) return refusal('requests_pending', 'pendingBytes', pendingBytes);
    this.#all += sizeBytes;
    this.#byTenant.set(tenant, own + sizeBytes);
    return undefined;
  }

  release(tenant: string, sizeBytes: number): void {
    const rest = (this.#byTenant.get(tenant) ?? 0) - sizeBytes;
    this.#all -= sizeBytes;
    if (rest > 0) this.#byTenant.set(tenant, rest);
    else this.#byTenant.delete(tenant);
  }
}

function refusal(reason: string, field: string, limitBytes: number): Rejection {
  const limit = `${limitBytes} bytes`;
  return {
    reason,
    field,
    limit,
    points: 0,
    message: `${field}: too many bytes of requests are pending (limit: ${limit})`,
  };
}
