import type { Scope } from '@tidemark/access';
import type { FastifyRequest } from 'fastify';

/**
 * Returns the tenant of a request by the key in its headers, or by `otherKey` for a protocol that has its key
 * elsewhere. Throws `unauthenticated` or `permission_denied`.
 */
export type TenantOf = (request: FastifyRequest, scope: Scope, otherKey?: string) => string;
