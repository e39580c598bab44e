import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { type Access, bearerKey, DEFAULT_TENANT, isLoopbackAddress } from '@tidemark/access';
import { TidemarkError } from '@tidemark/ports';

/** Checks that a caller may use the services of a process, by its key and whether it is on loopback; throws otherwise. */
export type ProcessAccess = (key: string | undefined, isLoopback: boolean) => void;

/** Admits operators of the default tenant only: a process has the clients and the data of every tenant. */
export function operatorsOnly(access: Pick<Access, 'tenantOf'>): ProcessAccess {
  return (key, isLoopback) => {
    const tenant = access.tenantOf(key, 'admin', isLoopback);
    if (tenant === DEFAULT_TENANT) return;
    throw new TidemarkError('permission_denied', `only operators of tenant ${DEFAULT_TENANT} can call this service`);
  };
}

/** Checks the caller of a served call; throws what `checkAccess` throws. */
export function checkCaller(
  call: Pick<ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>, 'metadata' | 'getPeer'>,
  checkAccess: ProcessAccess,
): void {
  const [header] = call.metadata.get('authorization');
  checkAccess(bearerKey(header?.toString()), isLoopbackAddress(call.getPeer()));
}
