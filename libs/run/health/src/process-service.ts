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

/**
 * Checks that a caller may read the health of a process, by its key and whether it is on loopback; throws otherwise.
 */
export type HealthAccess = (key: string | undefined, isLoopback: boolean) => void;

/** Admits operators of the default tenant only, because a health reply names the clients of every tenant. */
export function operatorsOnly(access: Pick<Access, 'tenantOf'>): HealthAccess {
  return (key, isLoopback) => {
    const tenant = access.tenantOf(key, 'admin', isLoopback);
    if (tenant === DEFAULT_TENANT) return;
    throw new TidemarkError(
      'permission_denied',
      `only operators of tenant ${DEFAULT_TENANT} can read the health of a process`,
    );
  };
}

/** Returns the session of an intake as it is shown to a tenant; undefined while none is open. */
export type SessionOf = (tenant: string) => SessionStatus | undefined;

/** Serves the health of this process, and its session where it is an intake. */
export function processService(
  health: { readonly reply: HealthReply },
  checkAccess: HealthAccess,
  sessionOf?: SessionOf,
): ProcessServer {
  const authorize = (call: ServerUnaryCall<unknown, unknown>): void => {
    const [header] = call.metadata.get('authorization');
    checkAccess(bearerKey(header?.toString()), isLoopbackAddress(call.getPeer()));
  };
  return {
    health: (call: ServerUnaryCall<HealthRequest, HealthReply>, callback) =>
      void serveUnary(call, callback, async () => {
        authorize(call);
        return health.reply;
      }),
    session: (call: ServerUnaryCall<SessionRequest, SessionReply>, callback) =>
      void serveUnary(call, callback, async ({ tenant }) => {
        authorize(call);
        if (sessionOf === undefined) throw new TidemarkError('unimplemented', 'this process is not an intake');
        return { session: sessionOf(tenant) };
      }),
  };
}
