import type { MemoryPart, PartitionStatusReply } from '@tidemark/contract';
import { type ClientState, gapsOf, openLanes } from '@tidemark/point-log';
import type { PartitionStore } from './partition-state.ts';

/** Client sessions of a tenant in a status. A tenant may have 100,000. */
export const SHOWN_CLIENTS = 1000;

/** The status of a partition, except for the fields of its consumer. */
export function partitionStatus(
  store: PartitionStore,
): Omit<PartitionStatusReply, 'logNext' | 'halted' | 'haltedOffset'> {
  const { partition, tracker, counts, nextOffset, committedOffset, table, limits } = store;
  return {
    partition,
    offset: nextOffset,
    committedOffset,
    watermarkMs: watermarkOf(store),
    era: tracker.era,
    lanes: openLanes(tracker),
    clients: shownClients(tracker.clients.values()).map((client) => ({
      clientSession: Buffer.from(client.clientSession),
      tenant: client.tenant,
      floor: client.window.floor,
      highestSequence: Math.max(0, client.window.next - 1),
      frontierMs: client.frontierMs,
      latePoints: client.latePoints,
    })),
    gaps: gapsOf(store),
    series: table.length,
    points: counts.points,
    memory: memoryOf(store),
    latePoints: counts.latePoints,
    duplicatePoints: counts.duplicatePoints,
    closedDays: store.days.list.map(({ day, cuts, isDirty }) => ({ day, cuts: [...cuts], dirty: isDirty })),
    stateHashes: store.hashes.map(({ bucket, offset, hash }) => ({ bucketMs: bucket * limits.bucketMs, offset, hash })),
  };
}

function memoryOf({ head, recent, cache, table, dictionaries, seriesSets }: PartitionStore): MemoryPart[] {
  const { headBytes, dealBytes } = head;
  return [
    { part: 'head', bytes: headBytes },
    { part: 'deals', bytes: dealBytes },
    { part: 'recent_pages', bytes: recent.bytes },
    { part: 'cached_pages', bytes: cache.bytes },
    { part: 'series', bytes: table.sizeBytes },
    { part: 'dictionaries', bytes: dictionaries.sizeBytes },
    { part: 'series_sets', bytes: seriesSets.bytes },
  ];
}

/** The watermark of a partition, ms; undefined before the first mark. */
export function watermarkOf({ tracker }: Pick<PartitionStore, 'tracker'>): number | undefined {
  return finite(tracker.watermarkMs);
}

/**
 * The watermark through which no block needed more of `tags` than the records below `tagsOffset`, ms; undefined when that is
 * not known.
 */
export function coveredWatermarkOf(
  { coverage, tracker }: Pick<PartitionStore, 'coverage' | 'tracker'>,
  tagsOffset: number,
): number | undefined {
  return finite(coverage.covered(tagsOffset, tracker.watermarkMs));
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** Of each tenant those with the most late points, then those that sent last. */
export function shownClients<T extends Pick<ClientState, 'tenant' | 'latePoints' | 'seenAtMs'>>(
  clients: Iterable<T>,
): T[] {
  const tenants = Map.groupBy(clients, ({ tenant }) => tenant);
  return [...tenants.values()].flatMap((own) => {
    if (own.length <= SHOWN_CLIENTS) return own;
    return own.sort((a, b) => b.latePoints - a.latePoints || b.seenAtMs - a.seenAtMs).slice(0, SHOWN_CLIENTS);
  });
}
