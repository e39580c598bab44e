import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
/** An idle lane marks each second; a mark older than three intervals holds completeness back, ms. */
export const LATE_MARK_MS = 3 * PROTOCOL_TIMES.markMs;

/** As long as this nobody is woken for a mark that is late, ms: a machine under load takes its time. */
export const HELD_MS = 5_000;

/** A session is fenced this long after its last renewal, ms. */
export const FENCE_AFTER_MS = PROTOCOL_TIMES.leaseMs;

/** A session that is silent for this long beyond its lease and not fenced says that nobody decides, ms. */
export const FENCE_GRACE_MS = 5_000;

/** A session that was fenced is worth a line for this long, ms. */
export const FENCED_NOTED_MS = 300_000;

/** Records that a tag store may be behind its log before it is worth a line. */
export const NOTED_TAGS_LAG = 100;

/** Records that a replica may be behind the most advanced one before it is worth a line. */
export const NOTED_REPLICA_LAG = 100;

/** Clocks may differ by this much, ms: beyond, a session takes nothing (docs/concepts.md). */
export const CLOCK_OFF_MS = PROTOCOL_TIMES.clockToleranceMs;

/** How much later than D what an agent sends may be, ms, before it is behind. */
export const AGENT_BEHIND_MS = 10_000;

/** An agent flushes every few seconds; silence for this long, and for several times its usual interval, is no pause, ms. */
export const AGENT_SILENT_MS = 15_000;
export const AGENT_SILENT_INTERVALS = 4;

/** An agent that lost its intake finds it again, or another one, within this time, ms. */
export const AGENT_LOST_MS = 10_000;

/** Agents, and partitions, that one finding names; the others are counted. */
export const NAMED = 8;
