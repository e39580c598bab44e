import type { ServerUnaryCall } from '@grpc/grpc-js';
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
import { checkCaller, type ProcessAccess } from './process-access.ts';

/** Returns the session of an intake as it is shown to a tenant; undefined while none is open. */
export type SessionOf = (tenant: string) => SessionStatus | undefined;

/** Serves the health of this process, and its session where it is an intake. */
export function processService(
  health: { readonly reply: HealthReply },
  checkAccess: ProcessAccess,
  sessionOf?: SessionOf,
): ProcessServer {
  return {
    health: (call: ServerUnaryCall<HealthRequest, HealthReply>, callback) =>
      void serveUnary(call, callback, async () => {
        checkCaller(call, checkAccess);
        return health.reply;
      }),
    session: (call: ServerUnaryCall<SessionRequest, SessionReply>, callback) =>
      void serveUnary(call, callback, async ({ tenant }) => {
        checkCaller(call, checkAccess);
        if (sessionOf === undefined) throw new TidemarkError('unimplemented', 'this process is not an intake');
        return { session: sessionOf(tenant) };
      }),
  };
}
