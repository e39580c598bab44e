import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
/** The bounds of an intake; each is a setting, and each refusal names one. */
export interface IntakeLimits {
  /** Bytes of one message of a stream. */
  readonly messageBytes: number;
  /** Points of one share. */
  readonly sharePoints: number;
  /** Sketches of one share. */
  readonly shareSketches: number;
  /** Packed bytes of one sketch. */
  readonly sketchBytes: number;
  /** Refs of one dictionary: series of one client in one partition. */
  readonly dictionaryRefs: number;
  /** Series definitions in one message. */
  readonly definitionsPerMessage: number;
  /** Bytes of shares queued in one lane; beyond, it answers «retry». */
  readonly laneQueueBytes: number;
  /** Bytes queued over all lanes; beyond, streams are not read. */
  readonly queueBytes: number;
  /** Streams open at once. */
  readonly streams: number;
  /** …and of one tenant. */
  readonly streamsPerTenant: number;
  /** Series that the open streams of one tenant define; further ones are refused. */
  readonly definitionsPerTenant: number;
  /** Bytes of their names and tags, in UTF-8. */
  readonly definitionBytesPerTenant: number;
  /** Sequences above its floor that a client may have in use. */
  readonly window: number;
  /** A stamp older than this is refused, ms. */
  readonly stampAgeMs: number;
}

export const DEFAULT_INTAKE_LIMITS: IntakeLimits = {
  messageBytes: 4 * 1024 * 1024,
  sharePoints: 500_000,
  shareSketches: 50_000,
  sketchBytes: 64 * 1024,
  dictionaryRefs: 4_000_000,
  definitionsPerMessage: 20_000,
  laneQueueBytes: 16 * 1024 * 1024,
  queueBytes: 64 * 1024 * 1024,
  streams: 10_000,
  streamsPerTenant: 5000,
  definitionsPerTenant: 4_000_000,
  definitionBytesPerTenant: 512 * 1024 * 1024,
  window: 1024,
  stampAgeMs: PROTOCOL_TIMES.stampAgeMs,
};

/** How a lane fills its blocks and keeps its promises; all ms or bytes. */
export interface LaneTiming {
  /** A block goes out when this many bytes of shares wait for it… */
  readonly fillBytes: number;
  /** …or when the oldest has waited this long. */
  readonly lingerMs: number;
  /** No block takes more shares than this, unless one alone is larger. */
  readonly blockBytes: number;
  /** …nor more points: a byte can stand for many. */
  readonly blockPoints: number;
  /** An idle lane marks this often. */
  readonly markMs: number;
  /** A lane that can't append for this long ends alone. */
  readonly appendMs: number;
  /** Nothing is taken before this long after the acknowledged `open`. */
  readonly openDelayMs: number;
  /** Dictionaries begin anew after this long. */
  readonly epochMs: number;
  /** …or this many definitions. */
  readonly epochRefs: number;
}

export const DEFAULT_LANE_TIMING: LaneTiming = {
  fillBytes: 256 * 1024,
  lingerMs: 250,
  blockBytes: 1024 * 1024,
  blockPoints: 1_000_000,
  markMs: PROTOCOL_TIMES.markMs,
  appendMs: PROTOCOL_TIMES.appendMs,
  openDelayMs: PROTOCOL_TIMES.openDelayMs,
  epochMs: 600_000,
  epochRefs: 4_000_000,
};
