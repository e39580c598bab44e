import { type Access, secretCheck } from '@tidemark/access';
import { operatorsOnly, type ProcessAccess } from '@tidemark/health';
import { isTidemarkError } from '@tidemark/ports';

/**
 * Admits processes of the cluster, by its key, and operators to the health of a process. A process that starts does not
 * know the keys of operators yet; until then it admits callers on loopback if they need no key later.
 */
export function healthAccess(
  clusterKey: string | undefined,
  access: Pick<Access, 'tenantOf'>,
  loopbackNeedsKey: boolean,
): ProcessAccess {
  const isClusterKey = clusterKey === undefined ? () => false : secretCheck(clusterKey);
  const operators = operatorsOnly(access);
  return (key, isLoopback) => {
    if (key !== undefined && isClusterKey(key)) return;
    try {
      operators(key, isLoopback);
    } catch (error) {
      const isStarting = isTidemarkError(error, 'unavailable');
      if (!isStarting || !isLoopback || loopbackNeedsKey) throw error;
    }
  };
}
