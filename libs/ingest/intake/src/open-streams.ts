import type { SendReply } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import { ClientStream } from './client-stream.ts';
import type { IntakeSession } from './intake-session.ts';

/**
 * Opens a stream of a session for an authenticated client; `close` releases its place. Throws `resource_exhausted` when
 * the session, or the tenant, has its max number of open streams.
 */
export function openStream(
  session: IntakeSession,
  tenant: string,
  reply: (reply: SendReply) => void,
  yieldTurn?: () => Promise<void>,
): ClientStream {
  const { streams } = session.limits;
  if (session.openStreams >= streams) {
    const limit = `${streams} streams`;
    throw new TidemarkError(
      'resource_exhausted',
      `the intake has ${session.openStreams} streams open (limit: intake.streams, ${streams}); connect to another intake, or raise the limit`,
      {
        reason: 'streams',
        field: 'stream',
        limit,
      },
    );
  }
  const stream = new ClientStream(session, tenant, reply, session.openQuota(tenant), yieldTurn);
  session.join(stream);
  return stream;
}
