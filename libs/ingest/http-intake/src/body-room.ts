import { TidemarkError } from '@tidemark/ports';

/** How many bytes of request bodies may be in memory at once, before their points are. */
export interface BodyRoomLimits {
  /** Bytes of all bodies that are being received or decoded. */
  readonly bodiesBytes: number;
  /** …and of one tenant. */
  readonly bodiesBytesPerTenant: number;
  /** Bodies that are decoded at once; the others wait, as they came. */
  readonly decodings: number;
}

export const DEFAULT_BODY_ROOM_LIMITS: BodyRoomLimits = {
  bodiesBytes: 64 * 1024 * 1024,
  bodiesBytesPerTenant: 32 * 1024 * 1024,
  decodings: 4,
};

/**
 * Bounds what bodies take: as they come by bytes, decoded by how many there are at once. A sender that is refused here
 * has to come again; one whose body is in waits for its turn.
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

  /** Bytes of bodies that are in now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes room for a body; call what it returns once the body is let go of, a second time changes nothing. Throws
   * `resource_exhausted` when the tenant has too much in already, `unavailable` when all have.
   */
  take(tenant: string, bytes: number): () => void {
    const { bodiesBytes, bodiesBytesPerTenant } = this.#limits;
    const own = (this.#byTenant.get(tenant) ?? 0) + bytes;
    if (own > bodiesBytesPerTenant) throw full('resource_exhausted', 'bodiesBytesPerTenant', bodiesBytesPerTenant);
    if (this.#bytes + bytes > bodiesBytes) throw full('unavailable', 'bodiesBytes', bodiesBytes);
    this.#bytes += bytes;
    this.#byTenant.set(tenant, own);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#bytes -= bytes;
      const rest = (this.#byTenant.get(tenant) ?? 0) - bytes;
      if (rest > 0) this.#byTenant.set(tenant, rest);
      else this.#byTenant.delete(tenant);
    };
  }

  /** Runs `decode` when it is its turn, in order of arrival; the decoded body is to be let go of when it ends. */
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
  const message = `body: too many bytes of bodies are being taken (limit: ${bytes}); come again`;
  return new TidemarkError(code, message, { reason: 'bodies_bytes_limit', field: 'body', limit });
}
