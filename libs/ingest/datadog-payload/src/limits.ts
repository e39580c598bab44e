/** Limits of the Datadog intake. A refusal names the limit that was exceeded. */
export interface DatadogLimits {
  /** Max bytes of a request's body as received. */
  readonly bodyBytes: number;
  /** Max bytes of a body after decoding of its content coding; checked during the decoding. */
  readonly decodedBytes: number;
  /** Max nesting of objects and lists in JSON. */
  readonly jsonDepth: number;
  /** Max values of a JSON body: numbers, strings, objects and lists together. */
  readonly jsonValues: number;
  /** Max bytes of a series without its points, of a check, and of a JSON body without its list: they are parsed at once. */
  readonly jsonElementBytes: number;
  /** Max series per body. */
  readonly series: number;
  /** Max points per body. */
  readonly points: number;
  /** Max points of distributions per body: each is a sketch, which takes more work than a number. */
  readonly sketches: number;
  /** Max tags and resources per series as sent, before repeated ones are dropped. */
  readonly seriesTags: number;
  /** Max interval of a rate, seconds. */
  readonly intervalS: number;
  /**
   * Max bytes of stored series names: of protobuf for all tenants together, where the tenant with the most is cleared
   * at the limit; of JSON for each tenant.
   */
  readonly rememberedBytes: number;
}

/** Default limits. They leave room above Datadog's own sizes (512,000 bytes, 5 MiB decoded). */
export const DEFAULT_DATADOG_LIMITS: DatadogLimits = {
  bodyBytes: 3_200_000,
  decodedBytes: 8 * 1024 * 1024,
  jsonDepth: 16,
  jsonValues: 1_500_000,
  jsonElementBytes: 256 * 1024,
  series: 100_000,
  points: 500_000,
  sketches: 50_000,
  seriesTags: 1_000,
  intervalS: 86_400,
  rememberedBytes: 64 * 1024 * 1024,
};
