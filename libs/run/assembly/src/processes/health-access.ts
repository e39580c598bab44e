import { createHash, timingSafeEqual } from 'node:crypto';
import type { Access } from '@tidemark/control-log';
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
  const expected = clusterKey === undefined ? undefined : digest(clusterKey);
  const operators = operatorsOnly(access);
  return (key, isLoopback) => {
    if (expected !== undefined && key !== undefined && timingSafeEqual(digest(key), expected)) return;
    try {
      operators(key, isLoopback);
    } catch (error) {
      const isStarting = isTidemarkError(error, 'unavailable');
      if (!isStarting || !isLoopback || loopbackNeedsKey) throw error;
    }
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
