/** Limits of one remote-write request and of the stored labels; each is a setting. */
export interface RemoteWriteLimits {
  /** Max bytes of a request's body as received, compressed. */
  readonly bodyBytes: number;
  /** Max bytes of a request's body after decompression. */
  readonly rawBytes: number;
  /** Max labels per series, including `__name__`. */
  readonly labels: number;
  /** Max bytes of stored labels of all tenants. At the limit, the tenant with the most is cleared. */
  readonly rememberedBytes: number;
}

export const DEFAULT_REMOTE_WRITE_LIMITS: RemoteWriteLimits = {
  bodyBytes: 8 * 1024 * 1024,
  rawBytes: 64 * 1024 * 1024,
  labels: 101,
  rememberedBytes: 512 * 1024 * 1024,
};
