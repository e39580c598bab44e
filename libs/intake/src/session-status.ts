import { equalBytes } from '@tidemark/bytes';
import type { SessionStatus } from '@tidemark/contract';
import type { ControlState } from '@tidemark/control';
import type { IntakeSession } from './intake-session.ts';

/** What only the session's own process knows. */
const NOT_HERE = { streams: 0, queuedBytes: 0, rejectedPoints: {}, clientNames: {}, violations: {}, leftOut: {} };

/** Sessions that `control` knows: those that are open, and the latest that are not. Clients are the tenant's own. */
export function sessionStatus(
  state: ControlState,
  own: IntakeSession | undefined,
  tenant: string,
  ended = 5,
): SessionStatus[] {
  const all = [...state.sessions.values()];
  const shown = [
    ...all.filter((session) => session.state === 'open'),
    ...all.filter((session) => session.state !== 'open').slice(-ended),
  ];
  return shown.map(({ session, process, state: sessionState, renewedMs }) => {
    const isOwn = own !== undefined && equalBytes(own.session, session);
    return {
      session: Buffer.from(session),
      process,
      state: sessionState,
      renewedMs,
      ...(isOwn ? own.statusFor(tenant) : NOT_HERE),
    };
  });
}
