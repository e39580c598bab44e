import { toHex } from '@tidemark/bytes';
import type { SessionStatus } from '@tidemark/contract';
import type { ControlState } from '@tidemark/control-log';
import type { IntakeSession } from './intake-session.ts';
import type { IntakeStatus } from './intake-status.ts';

/** Statuses of sessions, as their intakes report them. `control` does not have them. */
export interface ReportedSessions {
  /** Statuses by session, in hex. */
  readonly reported: ReadonlyMap<string, IntakeStatus>;
  /** Why other open sessions have no status. */
  readonly unreportedReason: string;
}

const NOT_REPORTED: IntakeStatus = {
  ...{
    streams: 0,
    queuedBytes: 0,
    rejectedPoints: {},
    clientNames: {},
    formerClientNames: {},
    violations: {},
    leftOut: {},
    refused: [],
    sources: [],
  },
};

/** Returns this process's report of its own session, for a tenant. */
export function ownReport(own: IntakeSession | undefined, tenant: string): ReportedSessions {
  const reported = own === undefined ? [] : [[toHex(own.session), own.statusFor(tenant)] as const];
  return { reported: new Map(reported), unreportedReason: 'held by another process' };
}

/** Lists the sessions of `control`: the open ones, and the last `ended` others. Clients are the tenant's own. */
export function sessionStatus(
  state: ControlState,
  { reported, unreportedReason }: ReportedSessions,
  ended = 5,
): SessionStatus[] {
  const all = [...state.sessions.values()];
  const shown = [
    ...all.filter((session) => session.state === 'open'),
    ...all.filter((session) => session.state !== 'open').slice(-ended),
  ];
  return shown.map(({ session, process, state: sessionState, renewedMs }) => {
    const own = reported.get(toHex(session));
    return {
      session: Buffer.from(session),
      process,
      state: sessionState,
      renewedMs,
      ...(own ?? NOT_REPORTED),
      // The contract names this field. words: allow notTold
      notTold: own === undefined && sessionState === 'open' ? unreportedReason : '',
    };
  });
}

/** Returns the session of this process, for the status of another process; undefined while none is open. */
export function ownSessionStatus(
  state: ControlState,
  own: IntakeSession | undefined,
  tenant: string,
): SessionStatus | undefined {
  if (own === undefined) return undefined;
  const key = toHex(own.session);
  return sessionStatus(state, ownReport(own, tenant)).find(({ session }) => toHex(session) === key);
}
