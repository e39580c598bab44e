import type { PartitionStatusReply } from '@tidemark/contract';
import type { PartitionStore } from './partition-state.ts';

/** What `status` shows of a partition, but for what its consumer knows. */
export function partitionStatus(
  store: PartitionStore,
): Omit<PartitionStatusReply, 'logNext' | 'halted' | 'haltedOffset'> {
  const { partition, tracker, counts, nextOffset, committedOffset, table, limits } = store;
  return {
    partition,
    offset: nextOffset,
    committedOffset,
    watermarkMs: finite(tracker.watermarkMs),
    lanes: [...tracker.lanes.values()]
      .filter((lane) => lane.open)
      .map(({ session, lane, open, markMs, sequence }) => ({
        session: Buffer.from(session),
        lane,
        open,
        markMs: finite(markMs) ?? 0,
        sequence: Math.max(0, sequence),
      })),
    clients: [...tracker.clients.values()].map((client) => ({
      clientSession: Buffer.from(client.clientSession),
      tenant: client.tenant,
      floor: client.window.floor,
      highestSequence: Math.max(0, client.window.next - 1),
      frontierMs: client.frontierMs,
      latePoints: client.latePoints,
    })),
    gaps: store.gaps.map(({ offset, reason }) => ({ topic: 'points', partition, offset, reason })),
    series: table.length,
    points: counts.points,
    latePoints: counts.latePoints,
    duplicatePoints: counts.duplicatePoints,
    stateHashes: store.hashes.map(({ bucket, offset, hash }) => ({ bucketMs: bucket * limits.bucketMs, offset, hash })),
  };
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
