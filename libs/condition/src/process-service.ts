import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { ConditionReply, ConditionRequest, ProcessServer } from '@tidemark/contract';
import { type Access, bearerKey, DEFAULT_TENANT, isLoopbackAddress } from '@tidemark/control';
import { serveUnary } from '@tidemark/grpc-status';
import { TidemarkError } from '@tidemark/ports';

/** Who may ask; gets the key that was shown and whether the caller is on loopback, and throws for everybody else. */
export type ConditionDoor = (key: string | undefined, isLoopback: boolean) => void;

/** Operators of the default tenant: a condition tells of every tenant's clients. */
export function operatorsOnly(access: Pick<Access, 'tenantOf'>): ConditionDoor {
  return (key, isLoopback) => {
    const tenant = access.tenantOf(key, 'admin', isLoopback);
    if (tenant === DEFAULT_TENANT) return;
    throw new TidemarkError('permission_denied', `the condition of a process is for operators of ${DEFAULT_TENANT}`);
  };
}

/** Serves the condition of this process. */
export function processService(condition: { readonly reply: ConditionReply }, door: ConditionDoor): ProcessServer {
  return {
    condition: (call: ServerUnaryCall<ConditionRequest, ConditionReply>, callback) =>
      void serveUnary(call, callback, async () => {
        const [header] = call.metadata.get('authorization');
        door(bearerKey(header?.toString()), isLoopbackAddress(call.getPeer()));
        return condition.reply;
      }),
  };
}
