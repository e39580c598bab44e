import type { PipelineStatus } from '../api/api-types.ts';

/** The progress of a client (an agent or a sending program) over all partitions that know it. */
export interface ClientProgress {
  readonly clientSession: string;
  /** Undefined when it is not known. */
  readonly name: string | undefined;
  /** Undefined when the intake that may have it did not answer. */
  readonly isConnected: boolean | undefined;
  readonly tenant: string;
  /** The newest frontier in any partition, ms: the client sends no older points. Undefined when it declared none. */
  readonly frontierMs: number | undefined;
  readonly highestSequence: number;
  readonly latePoints: number;
}

/**
 * Returns the clients by session: connected ones first, of these those furthest behind first, and those without a
 * frontier last.
 */
export function clientsBehind({
  points,
  sessions,
}: Pick<PipelineStatus, 'points' | 'sessions'>): readonly ClientProgress[] {
  const names = new Map(sessions.flatMap(({ clientNames }) => Object.entries(clientNames)));
  const former = new Map(sessions.flatMap(({ formerClientNames }) => Object.entries(formerClientNames)));
  const isElsewhere = sessions.some(({ unknownReason }) => unknownReason !== '') ? undefined : false;
  const clients = new Map<string, ClientProgress>();
  for (const client of points.flatMap((partition) => partition.clients)) {
    const before = clients.get(client.clientSession);
    clients.set(client.clientSession, {
      clientSession: client.clientSession,
      name: names.get(client.clientSession) ?? former.get(client.clientSession),
      isConnected: names.has(client.clientSession) ? true : isElsewhere,
      tenant: client.tenant,
      frontierMs: later(before?.frontierMs, client.frontierMs),
      highestSequence: Math.max(before?.highestSequence ?? 0, client.highestSequence),
      // Each partition counts its own late points.
      latePoints: (before?.latePoints ?? 0) + client.latePoints,
    });
  }
  const order = ({ frontierMs }: ClientProgress): number => frontierMs ?? Number.POSITIVE_INFINITY;
  return [...clients.values()].sort(
    (a, b) =>
      Number(a.isConnected === false) - Number(b.isConnected === false) ||
      order(a) - order(b) ||
      (a.clientSession < b.clientSession ? -1 : 1),
  );
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
