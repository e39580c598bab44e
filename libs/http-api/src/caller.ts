import { type Access, bearerKey, isLoopbackAddress, type Scope } from '@tidemark/control';
import type { FastifyRequest } from 'fastify';

/** Headers of proxies: what they bring in comes from elsewhere, whatever the connection's address is. */
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const;

/** True for `localhost`, its subdomains and loopback addresses, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * The tenant that a request acts for: by its key in `DD-API-KEY` or `Authorization: Bearer`, by `otherKey` if neither is
 * there, or without one the default tenant, for programs of this machine. Throws `unauthenticated` or
 * `permission_denied`.
 */
export function tenantOf(
  access: Pick<Access, 'tenantOf'>,
  request: FastifyRequest,
  scope: Scope,
  otherKey?: string,
): string {
  const header = request.headers['dd-api-key'];
  const key = typeof header === 'string' ? header : bearerKey(request.headers.authorization);
  return access.tenantOf(key ?? otherKey, scope, isLocal(request));
}

function isLocal({ socket, headers }: FastifyRequest): boolean {
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    isLoopbackHost(headers.host ?? '') &&
    FORWARDING_HEADERS.every((name) => headers[name] === undefined)
  );
}
