import { DEFAULT_POINT_LIMITS, type PointLimits } from '@tidemark/model';

/** Every limit of the DogStatsD intake. Data beyond a limit is dropped and counted by reason. */
export interface DogStatsDLimits {
  /** Lengths of names and tags, and the number of tags. */
  readonly point: PointLimits;
  /** Bytes of one datagram or one length-prefixed frame. */
  readonly datagramBytes: number;
  /** Bytes of one line of a newline-framed stream. */
  readonly lineBytes: number;
  /** Values of one line (`name:1:2:3|h`). */
  readonly valuesPerLine: number;
  /** Minimum sample rate. It bounds the weight of a single value to its inverse. */
  readonly sampleRate: number;
  /** Series that may be active in one flush interval. */
  readonly series: number;
  /** Spellings of series in the lookup cache; at the limit the cache is cleared. */
  readonly cachedSpellings: number;
  /** Bytes of the spellings in the lookup cache; at the limit the cache is cleared. */
  readonly cachedSpellingBytes: number;
  /** Distinct members of all sets in one flush interval. */
  readonly setMembers: number;
  /** UTF-8 bytes of one set member. */
  readonly setMemberBytes: number;
  /** Values that one histogram keeps exactly in an interval; beyond, percentiles come from a sketch within 1%. */
  readonly exactValues: number;
  /** Series that may hold a sketch in one flush interval. */
  readonly sketches: number;
  /** Newest events kept for inspection; older ones are evicted, and not counted as dropped. */
  readonly keptEvents: number;
  /** Newest service checks kept for inspection. */
  readonly keptServiceChecks: number;
  /** Open connections of the stream socket. */
  readonly connections: number;
  /** Adds a gauge's value with a sign (`+5`, `-5`) to the last one, as StatsD does; otherwise it sets the gauge. */
  readonly gaugeDeltas: boolean;
}

export const DEFAULT_DOGSTATSD_LIMITS: DogStatsDLimits = {
  point: DEFAULT_POINT_LIMITS,
  datagramBytes: 65_535,
  lineBytes: 8_192,
  valuesPerLine: 1_024,
  sampleRate: 1e-6,
  series: 100_000,
  cachedSpellings: 200_000,
  cachedSpellingBytes: 64 * 1_024 * 1_024,
  setMembers: 250_000,
  setMemberBytes: 200,
  exactValues: 1_024,
  sketches: 20_000,
  keptEvents: 1_000,
  keptServiceChecks: 1_000,
  connections: 256,
  gaugeDeltas: false,
};
