import { isTidemarkError } from '@tidemark/ports';
import { type Access, DEFAULT_TENANT } from './access.ts';

/**
 * True for a caller with the scope `admin` of the default tenant: an operator, who may see what concerns every tenant. False
 * for other callers, known or not.
 */
export function isOperator(access: Pick<Access, 'tenantOf'>, key: string | undefined, isLoopback: boolean): boolean {
  try {
    return access.tenantOf(key, 'admin', isLoopback) === DEFAULT_TENANT;
  } catch (error) {
    if (isTidemarkError(error)) return false;
    throw error;
  }
}
