/** The bounds of one remote-write request and of what is remembered of its series; each is a setting. */
export interface RemoteWriteLimits {
  /** A request's body as it comes, compressed. */
  readonly bodyBytes: number;
  /** …and uncompressed. */
  readonly rawBytes: number;
  /** Labels of one series, `__name__` among them. */
  readonly labels: number;
  /** Bytes of labels remembered of all tenants; beyond, who has most of them starts over. */
  readonly rememberedBytes: number;
}

export const DEFAULT_REMOTE_WRITE_LIMITS: RemoteWriteLimits = {
  bodyBytes: 8 * 1024 * 1024,
  rawBytes: 64 * 1024 * 1024,
  labels: 101,
  rememberedBytes: 512 * 1024 * 1024,
};
