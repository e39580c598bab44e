import { toHex } from '@tidemark/bytes';
import type { SessionStatus } from '@tidemark/contract';
import type { ControlState } from '@tidemark/control-log';
import type { IntakeSession } from './intake-session.ts';
import type { IntakeStatus } from './intake-status.ts';

/** What intakes tell of their sessions, for whoever has `control` alone. */
export interface ToldSessions {
  /** By session, in hex. */
  readonly told: ReadonlyMap<string, IntakeStatus>;
  /** Why there is nothing of other open ones. */
  readonly whyNot: string;
}

const NOT_TOLD: IntakeStatus = {
  ...{ streams: 0, queuedBytes: 0, rejectedPoints: {}, clientNames: {}, violations: {}, leftOut: {} },
};

/** What this process tells a tenant of its own session. */
export function toldOf(own: IntakeSession | undefined, tenant: string): ToldSessions {
  const told = own === undefined ? [] : [[toHex(own.session), own.statusFor(tenant)] as const];
  return { told: new Map(told), whyNot: 'it is of another process' };
}

/** Sessions that `control` knows: those that are open, and the latest that are not. Clients are the tenant's own. */
export function sessionStatus(state: ControlState, { told, whyNot }: ToldSessions, ended = 5): SessionStatus[] {
  const all = [...state.sessions.values()];
  const shown = [
    ...all.filter((session) => session.state === 'open'),
    ...all.filter((session) => session.state !== 'open').slice(-ended),
  ];
  return shown.map(({ session, process, state: sessionState, renewedMs }) => {
    const own = told.get(toHex(session));
    return {
      session: Buffer.from(session),
      process,
      state: sessionState,
      renewedMs,
      ...(own ?? NOT_TOLD),
      notTold: own === undefined && sessionState === 'open' ? whyNot : '',
    };
  });
}

/** The session of this process, for another one to show; undefined while none is open. */
export function ownSessionStatus(
  state: ControlState,
  own: IntakeSession | undefined,
  tenant: string,
): SessionStatus | undefined {
  if (own === undefined) return undefined;
  const key = toHex(own.session);
  return sessionStatus(state, toldOf(own, tenant)).find(({ session }) => toHex(session) === key);
}
