import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
/** An idle lane marks each second; a mark older than three intervals holds completeness back, ms. */
export const LATE_MARK_MS = 3 * PROTOCOL_TIMES.markMs;

/** A mark that is late for at most this long is not a finding, ms: a machine under load may be slow. */
export const HELD_MS = 5_000;

/** A session is fenced this long after its last renewal, ms. */
export const FENCE_AFTER_MS = PROTOCOL_TIMES.leaseMs;

/** A session that is silent for this long beyond its lease and not fenced shows that no coordinator decides, ms. */
export const FENCE_GRACE_MS = 5_000;

/** A session that was fenced is reported for this long, ms. */
export const FENCED_NOTED_MS = 300_000;

/** A watermark that is further ahead of the clock than this is of a wrong time, ms. The log takes no less back. */
export const LOG_AHEAD_MS = PROTOCOL_TIMES.setBackMs;

/** A set back of the log's clock is reported for this long, ms. */
export const SET_BACK_NOTED_MS = 3_600_000;

/** Records that a tag store may be behind its log before that is reported. */
export const NOTED_TAGS_LAG = 100;

/** Records that a replica may be behind the most advanced one before that is reported. */
export const NOTED_REPLICA_LAG = 100;

/** Clocks may differ by this much, ms: beyond, a session accepts nothing (docs/concepts.md). */
export const CLOCK_OFF_MS = PROTOCOL_TIMES.clockToleranceMs;

/** An agent is behind when its points are older than D plus this, ms. */
export const AGENT_BEHIND_MS = 10_000;

/**
 * An agent flushes every few seconds; silence for this long, and for several times its usual interval, is not a pause,
 * ms.
 */
export const AGENT_SILENT_MS = 15_000;
export const AGENT_SILENT_INTERVALS = 4;

/** An agent that lost its intake finds it again, or another one, within this time, ms. */
export const AGENT_LOST_MS = 10_000;

/** A process that started less than this long ago may not be ready, ms: that is a note. */
export const STARTING_MS = 15_000;

/** Agents, and partitions, that one finding names; the others are counted. */
export const NAMED = 8;
