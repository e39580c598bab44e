import { TidemarkError } from '@tidemark/ports';
import { type Pause, Turns } from './turns.ts';

/** Limits of the request bodies that are in memory at once, before their points are. */
export interface BodyRoomLimits {
  /** Max bytes of all bodies that are being received or decoded. */
  readonly bodiesBytes: number;
  /** Max bytes of the bodies of one tenant that are being received or decoded. */
  readonly bodiesBytesPerTenant: number;
  /** Max bodies that are decoded at once, half of them of one tenant. The others wait for their tenant's turn. */
  readonly decodings: number;
}

export const DEFAULT_BODY_ROOM_LIMITS: BodyRoomLimits = {
  bodiesBytes: 64 * 1024 * 1024,
  bodiesBytesPerTenant: 32 * 1024 * 1024,
  decodings: 4,
};

/**
 * Bounds the memory of request bodies: received ones by bytes, decoded ones by their number. A tenant may have as much as
 * it leaves free, so a few tenants with many bodies leave room for others. A sender that is refused here must retry. A
 * body that was received waits for its turn.
 */
export class BodyRoom {
  readonly #limits: BodyRoomLimits;
  readonly #byTenant = new Map<string, number>();
  readonly #turns: Turns;
  #bytes = 0;

  /** `yieldTurn` resolves after all other waiting work of this thread had its turn. */
  constructor(limits: Partial<BodyRoomLimits> = {}, yieldTurn: Pause = async () => undefined) {
    this.#limits = { ...DEFAULT_BODY_ROOM_LIMITS, ...limits };
    const { decodings } = this.#limits;
    this.#turns = new Turns(decodings, Math.ceil(decodings / 2), yieldTurn);
  }

  /** Bytes of all reserved bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reserves room for a body. Call the returned function to release it; a second call has no effect. Throws
   * `resource_exhausted` when the tenant's bodies exceed their limit, `unavailable` when those of all tenants do, or when
   * the tenant would have more than it leaves free.
   */
  reserve(tenant: string, bytes: number): () => void {
    const { bodiesBytes, bodiesBytesPerTenant } = this.#limits;
    const own = (this.#byTenant.get(tenant) ?? 0) + bytes;
    if (own > bodiesBytesPerTenant) throw full('resource_exhausted', 'bodiesBytesPerTenant', bodiesBytesPerTenant);
    const free = bodiesBytes - this.#bytes - bytes;
    if (free < 0 || (own > free && this.#bytes > 0)) throw full('unavailable', 'bodiesBytes', bodiesBytes);
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

  /** Runs `decode` when it is the tenant's turn. Release the decoded body when `decode` ends. */
  decode<T>(tenant: string, decode: (pause: Pause) => Promise<T>): Promise<T> {
    return this.#turns.run(tenant, decode);
  }
}

function full(code: 'resource_exhausted' | 'unavailable', limit: string, bytes: number): TidemarkError {
  const message = `request bodies in progress exceed ${bytes} bytes (limit: requests.${limit}); retry later`;
  return new TidemarkError(code, message, { reason: 'bodies_bytes_limit', field: 'body', limit });
}
