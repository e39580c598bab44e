import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { MAX_RECORD_BYTES } from '@tidemark/point-records';
/** Limits of an intake. Each is a setting, and each refusal names one. */
export interface IntakeLimits {
  /** Max bytes of one message of a stream. */
  readonly messageBytes: number;
  /** Max points of one share. */
  readonly sharePoints: number;
  /** Max sketches of one share. */
  readonly shareSketches: number;
  /** Max packed bytes of one sketch. */
  readonly sketchBytes: number;
  /** Max refs of one dictionary: series of one client in one partition. */
  readonly dictionaryRefs: number;
  /** Max series definitions in one message. */
  readonly definitionsPerMessage: number;
  /** Max bytes of shares queued in one lane. A full lane answers with `retry`. */
  readonly laneQueueBytes: number;
  /** Max bytes queued in all lanes. Above it, streams are not read. */
  readonly queueBytes: number;
  /** Max open streams. */
  readonly streams: number;
  /** Max open streams per tenant. */
  readonly streamsPerTenant: number;
  /** Max series that the open streams of one tenant define. Further series are refused. */
  readonly definitionsPerTenant: number;
  /** Max bytes of names and tags, in UTF-8, that the open streams of one tenant define. */
  readonly definitionBytesPerTenant: number;
  /** Max sequences above its floor that a client may use. */
  readonly window: number;
  /** Max age of a stamp, ms. */
  readonly stampAgeMs: number;
  /** Time for which the stores of a partition may be halted before its points are answered with `retry`, ms. */
  readonly haltedMs: number;
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
  haltedMs: 300_000,
};

/** Timing and block sizes of a lane, in ms, bytes and points. */
export interface LaneTiming {
  /** Bytes of waiting shares at which a block is appended. */
  readonly fillBytes: number;
  /** Wait of the oldest share after which a block is appended. */
  readonly lingerMs: number;
  /** Max bytes of a block's shares, unless one share alone is larger. */
  readonly blockBytes: number;
  /** Max points of a block. Few bytes can have many points. */
  readonly blockPoints: number;
  /** Max bytes of a record of the log. */
  readonly recordBytes: number;
  /** Interval of an idle lane's marks. */
  readonly markMs: number;
  /** Time without an append after which a lane ends by itself. */
  readonly appendMs: number;
  /** Time after the acknowledged `open` before which a lane accepts nothing. */
  readonly openDelayMs: number;
  /** Time after which a lane starts new dictionaries. */
  readonly epochMs: number;
  /** Number of definitions after which a lane starts new dictionaries, once half of them are of clients that left. */
  readonly epochRefs: number;
}

export const DEFAULT_LANE_TIMING: LaneTiming = {
  fillBytes: 256 * 1024,
  lingerMs: 250,
  blockBytes: 1024 * 1024,
  blockPoints: 1_000_000,
  recordBytes: MAX_RECORD_BYTES,
  markMs: PROTOCOL_TIMES.markMs,
  appendMs: PROTOCOL_TIMES.appendMs,
  openDelayMs: PROTOCOL_TIMES.openDelayMs,
  epochMs: 600_000,
  epochRefs: 4_000_000,
};
