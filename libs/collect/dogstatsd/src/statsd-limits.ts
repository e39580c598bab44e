import { DEFAULT_POINT_LIMITS, type PointLimits } from '@tidemark/model';

/** Every bound of the DogStatsD intake; what is over one is dropped and counted under a reason of the same name. */
export interface DogStatsDLimits {
  /** Lengths of names and tags, and how many tags. */
  readonly point: PointLimits;
  /** Bytes of one datagram or one length-prefixed frame. */
  readonly datagramBytes: number;
  /** Bytes of one line of a newline-framed stream. */
  readonly lineBytes: number;
  /** Values of one line (`name:1:2:3|h`). */
  readonly valuesPerLine: number;
  /** Least sample rate; a smaller one would let a single datagram weigh without bound. */
  readonly sampleRate: number;
  /** Series that may be active in one flush interval. */
  readonly series: number;
  /** Spellings of series kept in the lookup cache; at the bound the cache starts anew. */
  readonly cachedSpellings: number;
  /** Bytes of the spellings kept in the lookup cache; at the bound the cache starts anew. */
  readonly cachedSpellingBytes: number;
  /** Distinct members of all sets in one flush interval. */
  readonly setMembers: number;
  /** UTF-8 bytes of one set member. */
  readonly setMemberBytes: number;
  /** Values that one histogram keeps exactly in an interval; past it, percentiles come from a sketch within 1%. */
  readonly exactValues: number;
  /** Series that may hold a sketch in one flush interval. */
  readonly sketches: number;
  /** Events kept for a look; older ones are let go of, never counted as dropped. */
  readonly keptEvents: number;
  /** Service checks kept for a look. */
  readonly keptServiceChecks: number;
  /** Open connections of the stream socket. */
  readonly connections: number;
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
};
