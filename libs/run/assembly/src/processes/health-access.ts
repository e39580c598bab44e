import { type Access, secretCheck } from '@tidemark/access';
import { type HealthAccess, operatorsOnly } from '@tidemark/health';
import { isTidemarkError } from '@tidemark/ports';

/**
 * Who may ask a process of its health: processes of the cluster by its key, and operators. A process that starts
 * does not know the keys of operators yet; until then callers on loopback are let in where they need no key later.
 */
export function healthAccess(
  clusterKey: string | undefined,
  access: Pick<Access, 'tenantOf'>,
  loopbackNeedsKey: boolean,
): HealthAccess {
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
