/** Every bound of the Datadog intake; what is over one is refused by that name. */
export interface DatadogLimits {
  /** A request's body as it comes over the network, bytes. */
  readonly bodyBytes: number;
  /** The same after its content coding is undone, bytes; checked while it is being undone. */
  readonly decodedBytes: number;
  /** Objects and lists within one another, in JSON. */
  readonly jsonDepth: number;
  /** Values of a JSON body: numbers, texts, objects and lists together. */
  readonly jsonValues: number;
  /** Series of one body. */
  readonly series: number;
  /** Points of one body. */
  readonly points: number;
  /** Tags and resources of one series as sent, before repetitions are dropped. */
  readonly seriesTags: number;
  /** Longest interval of a rate, seconds. */
  readonly intervalS: number;
  /**
   * Bytes of series that are remembered: of all tenants from protobuf, where who has most of them starts over then, and of
   * each from JSON.
   */
  readonly rememberedBytes: number;
}

/** Bodies of Datadog's own size (512,000 bytes, 5 MiB decoded) fit with room. */
export const DEFAULT_DATADOG_LIMITS: DatadogLimits = {
  bodyBytes: 3_200_000,
  decodedBytes: 8 * 1024 * 1024,
  jsonDepth: 16,
  jsonValues: 1_500_000,
  series: 100_000,
  points: 500_000,
  seriesTags: 1_000,
  intervalS: 86_400,
  rememberedBytes: 64 * 1024 * 1024,
};
