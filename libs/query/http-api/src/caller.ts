import { type Access, bearerKey, isLocalRequest, isOperator, type Scope } from '@tidemark/access';
import { isTidemarkError } from '@tidemark/ports';
import type { FastifyRequest } from 'fastify';

/**
 * Returns the tenant that a request acts for: by its key in `DD-API-KEY` or `Authorization: Bearer`, else by
 * `otherKey`. Without a key it is the default tenant, for programs of this machine. Errors: `unauthenticated`,
 * `permission_denied`.
 */
export function tenantOf(
  access: Pick<Access, 'tenantOf'>,
  request: FastifyRequest,
  scope: Scope,
  otherKey?: string,
): string {
  return access.tenantOf(keyOf(request) ?? otherKey, scope, isLocalRequest(request));
}

/** True for operators, who may see what concerns every tenant. */
export function isOperatorRequest(access: Pick<Access, 'tenantOf'>, request: FastifyRequest): boolean {
  return isOperator(access, keyOf(request), isLocalRequest(request));
}

function keyOf(request: FastifyRequest): string | undefined {
  const header = request.headers['dd-api-key'];
  return typeof header === 'string' ? header : bearerKey(request.headers.authorization);
}

/** Not a key that was ever created: keys have another form. */
const NO_KEY = 'no key';

/** Returns true when the caller may send any key: it is local, and no key was created yet. */
export function acceptsAnyKey(access: Pick<Access, 'tenantOf'>, request: FastifyRequest): boolean {
  try {
    access.tenantOf(NO_KEY, 'read', isLocalRequest(request));
    return true;
  } catch (error) {
    if (isTidemarkError(error)) return false;
    throw error;
  }
}
