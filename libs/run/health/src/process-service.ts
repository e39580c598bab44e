import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type Access, bearerKey, DEFAULT_TENANT, isLoopbackAddress } from '@tidemark/access';
import type {
  HealthReply,
  HealthRequest,
  ProcessServer,
  SessionReply,
  SessionRequest,
  SessionStatus,
} from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import { serveUnary } from '@tidemark/rpc';

/** Who may ask a process of itself; gets the key that was shown and whether the caller is on loopback, and throws for everybody else. */
export type HealthAccess = (key: string | undefined, isLoopback: boolean) => void;

/** Operators of the default tenant: a health tells of every tenant's clients. */
export function operatorsOnly(access: Pick<Access, 'tenantOf'>): HealthAccess {
  return (key, isLoopback) => {
    const tenant = access.tenantOf(key, 'admin', isLoopback);
    if (tenant === DEFAULT_TENANT) return;
    throw new TidemarkError('permission_denied', `the health of a process is for operators of ${DEFAULT_TENANT}`);
  };
}

/** Of an intake: its session as it is shown to a tenant; undefined while none is open. */
export type SessionOf = (tenant: string) => SessionStatus | undefined;

/** Serves the health of this process, and its session where it is an intake. */
export function processService(
  health: { readonly reply: HealthReply },
  door: HealthAccess,
  sessionOf?: SessionOf,
): ProcessServer {
  const enter = (call: ServerUnaryCall<unknown, unknown>): void => {
    const [header] = call.metadata.get('authorization');
    door(bearerKey(header?.toString()), isLoopbackAddress(call.getPeer()));
  };
  return {
    health: (call: ServerUnaryCall<HealthRequest, HealthReply>, callback) =>
      void serveUnary(call, callback, async () => {
        enter(call);
        return health.reply;
      }),
    session: (call: ServerUnaryCall<SessionRequest, SessionReply>, callback) =>
      void serveUnary(call, callback, async ({ tenant }) => {
        enter(call);
        if (sessionOf === undefined) throw new TidemarkError('unimplemented', 'this process is no intake');
        return { session: sessionOf(tenant) };
      }),
  };
}
