import { createHash, timingSafeEqual } from 'node:crypto';
import { type ConditionDoor, operatorsOnly } from '@tidemark/condition';
import type { Access } from '@tidemark/control-log';
import { isTidemarkError } from '@tidemark/ports';

/**
 * Who may ask a process of its condition: processes of the cluster by its key, and operators. A process that starts
 * does not know the keys of operators yet; until then callers on loopback are let in where they need no key later.
 */
export function conditionDoor(
  clusterKey: string | undefined,
  access: Pick<Access, 'tenantOf'>,
  loopbackNeedsKey: boolean,
): ConditionDoor {
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
