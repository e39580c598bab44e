import { assert } from '@tidemark/ports';
import { DAY_MS } from './day.ts';

/** Times that several processes must agree on, ms. docs/concepts.md has the proofs that rest on them. */
export interface ProtocolTimes {
  /** A client gives a batch up, as indeterminate, when it was sent this long ago and never acknowledged. */
  readonly giveUpMs: number;
  /** An `Idempotency-Key` of an earlier map is accepted until this long after the next map came into force. */
  readonly requestKeyMs: number;
  /** An intake refuses a batch that was stamped longer ago. The setting `intake.stampAgeMs` may lower it. */
  readonly stampAgeMs: number;
  /** A consumer keeps the sequences of ended lanes and silent client sessions this long, by the age of its partition. */
  readonly retentionMs: number;
  /** Checkpoints of `control` keep ended sessions and completed fences this long, by append time. */
  readonly controlRetentionMs: number;
  /** A query asks the partitions of every map that was in force up to this long before its range. */
  readonly mapLookbackMs: number;
  /** A session renews its lease this often. */
  readonly renewMs: number;
  /** A session stops accepting when no renewal was acknowledged for this long. */
  readonly lapseMs: number;
  /** The coordinator fences a session this long after the last renewal that it read. */
  readonly leaseMs: number;
  /**
   * A mark is at most this after the sending of the last acknowledged renewal. So watermarks are not ahead of the time of
   * `control`, by which a lane knows where it may begin, by more than this and the tolerance of clocks.
   */
  readonly markLeadMs: number;
  /** An idle lane appends a mark this often. The setting `lane.markMs` may change it. */
  readonly markMs: number;
  /** A lane that cannot append for this long ends. The setting `lane.appendMs` may change it. */
  readonly appendMs: number;
  /** A session accepts only while its clock is within this of the log's. */
  readonly clockToleranceMs: number;
  /**
   * A lane accepts nothing until this long after its acknowledged `open`. The setting `lane.openDelayMs` may change it.
   */
  readonly openDelayMs: number;
  /** A map comes into force this long after its decision, by append times of `control`. */
  readonly mapDelayMs: number;
  /** Time is taken back when the log's newest time is ahead of its clock by more than this. Less is waited for. */
  readonly setBackMs: number;
  /** Time is taken back only while the clocks of the log and of the coordinator differ by no more than this. */
  readonly witnessMs: number;
  /** An advance of the watermark ages the state of consumers by no more than this: the clock may have been set ahead. */
  readonly agingStepMs: number;
}

export const PROTOCOL_TIMES: ProtocolTimes = {
  giveUpMs: 6 * DAY_MS,
  requestKeyMs: 6 * DAY_MS,
  stampAgeMs: 7 * DAY_MS,
  retentionMs: 7 * DAY_MS,
  controlRetentionMs: 7 * DAY_MS,
  mapLookbackMs: 7 * DAY_MS,
  renewMs: 1000,
  lapseMs: 5000,
  leaseMs: 10_000,
  markLeadMs: 2000,
  markMs: 1000,
  appendMs: 15_000,
  clockToleranceMs: 1000,
  openDelayMs: 2000,
  mapDelayMs: 2000,
  setBackMs: 10_000,
  witnessMs: 2000,
  agingStepMs: 60_000,
};

interface Relation {
  readonly less: keyof ProtocolTimes;
  readonly than: keyof ProtocolTimes;
  /** Equal values are allowed too. */
  readonly orEqual?: boolean;
  /** The promise that breaks when the relation does not hold. */
  readonly otherwise: string;
}

/** The relations that must hold between the times. */
export const RELATIONS: readonly Relation[] = [
  { less: 'giveUpMs', than: 'stampAgeMs', otherwise: 'a client sends batches that every intake refuses' },
  { less: 'stampAgeMs', than: 'retentionMs', orEqual: true, otherwise: 'a repeated batch is stored twice' },
  { less: 'requestKeyMs', than: 'retentionMs', otherwise: 'a repeated request is stored twice' },
  { less: 'stampAgeMs', than: 'mapLookbackMs', orEqual: true, otherwise: 'a query misses points of an old map' },
  { less: 'requestKeyMs', than: 'mapLookbackMs', otherwise: 'a query misses points of an old map' },
  { less: 'stampAgeMs', than: 'controlRetentionMs', orEqual: true, otherwise: 'a fence is forgotten too early' },
  { less: 'renewMs', than: 'lapseMs', otherwise: 'a healthy session stops accepting between two renewals' },
  { less: 'renewMs', than: 'markLeadMs', otherwise: 'completeness waits for each renewal' },
  { less: 'lapseMs', than: 'leaseMs', otherwise: 'a session is fenced while it still accepts' },
  { less: 'markMs', than: 'leaseMs', otherwise: 'a session is fenced before an idle lane marks once' },
  { less: 'clockToleranceMs', than: 'openDelayMs', otherwise: 'a new lane accepts below the watermark' },
  { less: 'clockToleranceMs', than: 'mapDelayMs', otherwise: 'a point is routed by a map that no query knows' },
  { less: 'witnessMs', than: 'setBackMs', otherwise: 'time is taken back because of a clock that is merely behind' },
  { less: 'leaseMs', than: 'agingStepMs', otherwise: 'state expires too late although no clock was wrong' },
];

/** Throws `AssertionError` with the relation, both values and the broken promise when a relation does not hold. */
export function assertRelations(times: ProtocolTimes, relations = RELATIONS): void {
  for (const { less, than, orEqual = false, otherwise } of relations) {
    const holds = orEqual ? times[less] <= times[than] : times[less] < times[than];
    const limit = `${orEqual ? 'at most' : 'below'} ${than}, ${times[than]}`;
    assert(holds, `${less}: ${times[less]} (limit: ${limit}): otherwise ${otherwise}`);
  }
}

assertRelations(PROTOCOL_TIMES);
