import type { StatusReply } from '@tidemark/contract';
import { toJson } from './to-json.ts';

/** What a status for callers who are not operators does not have, so that no zero is taken for a count. */
const WITHHELD = {
  status: ['replicas', 'divergences', 'threads', 'memory'],
  points: [
    ...['offset', 'committedOffset', 'logNext', 'lanes', 'stateHashes', 'closedDays'],
    ...['series', 'points', 'latePoints', 'duplicatePoints', 'memory'],
  ],
  tags: ['offset', 'committedOffset', 'logNext', 'series', 'metrics', 'stateHash', 'stateHashes', 'memory'],
  sessions: ['process', 'queuedBytes'],
} as const;

/** The status as JSON. */
export function statusJson(status: StatusReply): Record<string, unknown> {
  if (status.forOperator) return toJson(status) as Record<string, unknown>;
  const { points, tags, sessions, ...rest } = status;
  return toJson({
    ...without(rest, WITHHELD.status),
    points: points.map((one) => without(one, WITHHELD.points)),
    tags: tags.map((one) => without(one, WITHHELD.tags)),
    sessions: sessions.map((one) => without(one, WITHHELD.sessions)),
  }) as Record<string, unknown>;
}

function without(message: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(message).filter(([field]) => !fields.includes(field)));
}
