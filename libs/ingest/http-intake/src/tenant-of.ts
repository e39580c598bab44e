import type { Scope } from '@tidemark/access';
import type { FastifyRequest } from 'fastify';

/**
 * The tenant that a request acts for, by the key in its headers, else by `otherKey`, where a protocol has one elsewhere;
 * throws `unauthenticated` or `permission_denied`.
 */
export type TenantOf = (request: FastifyRequest, scope: Scope, otherKey?: string) => string;
