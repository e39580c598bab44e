import type {
  Gap,
  PartError,
  PartitionStatusReply,
  SessionStatus,
  StatusReply,
  TagPartitionStatusReply,
} from '@tidemark/contract';

/** In place of a text that only operators see. */
const WITHHELD = 'only operators see why';

/**
 * The status as a caller sees it who is not an operator: what concerns its tenant, and how far each partition is complete. Each
 * message is built field by field, so that a new field of the contract is not shown until it is added here.
 */
export function tenantStatus(status: StatusReply): StatusReply {
  return {
    points: status.points.map(tenantPartition),
    tags: status.tags.map(tenantTagPartition),
    sessions: status.sessions.filter(concernsTenant).map(tenantSession),
    latenessMs: status.latenessMs,
    nowMs: status.nowMs,
    errors: status.errors.map(tenantError),
    mapEpoch: status.mapEpoch,
    replicas: [],
    divergences: [],
    eras: status.eras,
    forOperator: false,
    threads: [],
    memory: [],
  };
}

/** Without the message, which names addresses of processes, and folders. */
export function tenantError({ part, code }: PartError): PartError {
  return { part, code, message: WITHHELD };
}

/** Without the reason, which an operator wrote. */
export function tenantGap({ topic, partition, offset, records }: Gap): Gap {
  return { topic, partition, offset, records, reason: WITHHELD };
}

function tenantPartition(status: PartitionStatusReply): PartitionStatusReply {
  return {
    ...{ partition: status.partition, watermarkMs: status.watermarkMs, era: status.era },
    coveredWatermarkMs: status.coveredWatermarkMs,
    ...{ halted: status.halted === '' ? '' : WITHHELD, haltedOffset: status.haltedOffset },
    ...{ gaps: status.gaps.map(tenantGap), clients: status.clients },
    ...{ offset: 0, committedOffset: 0, logNext: 0, lanes: [], closedDays: [], stateHashes: [] },
    ...{ series: 0, points: 0, latePoints: 0, duplicatePoints: 0, memory: [] },
  };
}

function tenantTagPartition(status: TagPartitionStatusReply): TagPartitionStatusReply {
  return {
    partition: status.partition,
    ...{ halted: status.halted === '' ? '' : WITHHELD, haltedOffset: status.haltedOffset },
    gaps: status.gaps.map(tenantGap),
    ...{ offset: 0, committedOffset: 0, logNext: 0, series: 0, metrics: 0, stateHash: '', stateHashes: [] },
    memory: [],
  };
}

function tenantSession(status: SessionStatus): SessionStatus {
  return {
    ...{ session: status.session, state: status.state, renewedMs: status.renewedMs, streams: status.streams },
    ...{ rejectedPoints: status.rejectedPoints, clientNames: status.clientNames, violations: status.violations },
    formerClientNames: status.formerClientNames,
    ...{ leftOut: status.leftOut, refused: status.refused, sources: status.sources },
    // The contract names this field. words: allow notTold
    notTold: status.notTold === '' ? '' : WITHHELD,
    ...{ process: '', queuedBytes: 0 },
  };
}

/** True for sessions with something of the tenant, and for those that could not be asked. */
function concernsTenant(session: SessionStatus): boolean {
  const { streams, clientNames, formerClientNames, rejectedPoints, violations, leftOut, refused } = session;
  // The contract names this field. words: allow notTold
  if (streams > 0 || refused.length > 0 || session.notTold !== '') return true;
  return [clientNames, formerClientNames, rejectedPoints, violations, leftOut].some(
    (counts) => Object.keys(counts).length > 0,
  );
}
