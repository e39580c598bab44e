import { toHex } from '@tidemark/bytes';
import type { PartitionStatusReply, SessionStatus } from '@tidemark/contract';

/** The sessions with only those names of former clients that are needed to name the clients of the partitions. */
export function withNamesOf(
  partitions: readonly Pick<PartitionStatusReply, 'clients'>[],
  sessions: readonly SessionStatus[],
): SessionStatus[] {
  const listed = new Set(partitions.flatMap(({ clients }) => clients.map((client) => toHex(client.clientSession))));
  return sessions.map((session) => {
    const former = Object.entries(session.formerClientNames).filter(([client]) => listed.has(client));
    return { ...session, formerClientNames: Object.fromEntries(former) };
  });
}
