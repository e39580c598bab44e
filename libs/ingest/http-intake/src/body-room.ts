import { TidemarkError } from '@tidemark/ports';

/** Limits of the request bodies that are in memory at once, before their points are. */
export interface BodyRoomLimits {
  /** Max bytes of all bodies that are being received or decoded. */
  readonly bodiesBytes: number;
  /** Max bytes of the bodies of one tenant that are being received or decoded. */
  readonly bodiesBytesPerTenant: number;
  /** Max bodies that are decoded at once. The others wait, in order of arrival. */
  readonly decodings: number;
}

export const DEFAULT_BODY_ROOM_LIMITS: BodyRoomLimits = {
  bodiesBytes: 64 * 1024 * 1024,
  bodiesBytesPerTenant: 32 * 1024 * 1024,
  decodings: 4,
};

/**
 * Bounds the memory of request bodies: received ones by bytes, decoded ones by their number. A sender that is refused
 * here must retry. A body that was received waits for its turn.
 */
export class BodyRoom {
  readonly #limits: BodyRoomLimits;
  readonly #byTenant = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #bytes = 0;
  #decoding = 0;

  constructor(limits: Partial<BodyRoomLimits> = {}) {
    this.#limits = { ...DEFAULT_BODY_ROOM_LIMITS, ...limits };
  }

  /** Bytes of all reserved bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reserves room for a body. Call the returned function to release it; a second call has no effect. Throws
   * `resource_exhausted` when the tenant's bodies exceed their limit, `unavailable` when those of all tenants do.
   */
  reserve(tenant: string, bytes: number): () => void {
    const { bodiesBytes, bodiesBytesPerTenant } = this.#limits;
    const own = (this.#byTenant.get(tenant) ?? 0) + bytes;
    if (own > bodiesBytesPerTenant) throw full('resource_exhausted', 'bodiesBytesPerTenant', bodiesBytesPerTenant);
    if (this.#bytes + bytes > bodiesBytes) throw full('unavailable', 'bodiesBytes', bodiesBytes);
    this.#bytes += bytes;
    this.#byTenant.set(tenant, own);
    let isReserved = true;
    return () => {
      if (!isReserved) return;
      isReserved = false;
      this.#bytes -= bytes;
      const rest = (this.#byTenant.get(tenant) ?? 0) - bytes;
      if (rest > 0) this.#byTenant.set(tenant, rest);
      else this.#byTenant.delete(tenant);
    };
  }

  /** Runs `decode` when it is its turn, in order of arrival. Release the decoded body when `decode` ends. */
  async decode<T>(decode: () => Promise<T>): Promise<T> {
    if (this.#decoding < this.#limits.decodings) this.#decoding++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await decode();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#decoding--;
      else next();
    }
  }
}

function full(code: 'resource_exhausted' | 'unavailable', limit: string, bytes: number): TidemarkError {
  const message = `request bodies in progress exceed ${bytes} bytes (limit: ${limit}); retry later`;
  return new TidemarkError(code, message, { reason: 'bodies_bytes_limit', field: 'body', limit });
}
