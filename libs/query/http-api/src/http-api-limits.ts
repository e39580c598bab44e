/** Bounds of the HTTP API. */
export interface HttpApiLimits {
  /** A request's body, bytes. */
  readonly bodyBytes: number;
  /** A request's URL, bytes; longer queries go into the body of `POST /api/tidemark/v1/query`. */
  readonly urlBytes: number;
  /** How long a request may take to arrive, ms. */
  readonly receiveMs: number;
  /** Open connections. */
  readonly connections: number;
  /** Metrics, or values of a tag key, in one response. */
  readonly described: number;
}

export const DEFAULT_HTTP_API_LIMITS: HttpApiLimits = {
  bodyBytes: 1024 * 1024,
  urlBytes: 64 * 1024,
  receiveMs: 30_000,
  connections: 1_000,
  described: 1_000,
};
