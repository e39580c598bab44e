import type { Metadata } from '@grpc/grpc-js';
import { type Access, bearerKey, isLoopbackAddress, type Scope } from '@tidemark/access';
import { isTidemarkError } from '@tidemark/ports';

const SCOPES: readonly Scope[] = ['send', 'read', 'admin'];

/** Returns the tenant of the key of a call, with any scope; undefined for a caller that is not known. */
export function tenantOfCall(
  access: Pick<Access, 'tenantOf'>,
): (metadata: Metadata, peer: string) => string | undefined {
  return (metadata, peer) => {
    const [header] = metadata.get('authorization');
    const key = bearerKey(header?.toString());
    for (const scope of SCOPES) {
      try {
        return access.tenantOf(key, scope, isLoopbackAddress(peer));
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        if (error.code !== 'permission_denied') return undefined;
      }
    }
    return undefined;
  };
}
