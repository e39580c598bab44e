import { isLoopbackAddress, isLoopbackHost } from '@tidemark/access';
import { TidemarkError } from '@tidemark/ports';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HttpApiLimits } from './http-api-limits.ts';

/** The page loads only its own files and connects only to its own server. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Checks every request before any other handler, and sets the headers of every response. */
export function guard(app: FastifyInstance, limits: HttpApiLimits, allowedHosts: readonly string[]): void {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...HEADERS, 'x-request-id': request.id });
    if (/^\/+api\//.test(request.url)) reply.header('cache-control', 'no-store');
    if (request.url.length > limits.urlBytes) {
      throw new TidemarkError('invalid_argument', `url: ${request.url.length} bytes (limit: ${limits.urlBytes})`, {
        field: 'url',
        limit: limits.urlBytes,
      });
    }
    checkHost(request, allowed);
    checkOrigin(request);
  });
}

/**
 * A page of another site can let its own name point to 127.0.0.1 and so reach a server that trusts this machine (DNS
 * rebinding). The browser then names that site in `Host`.
 */
function checkHost({ headers, socket }: FastifyRequest, allowed: ReadonlySet<string>): void {
  if (!isLoopbackAddress(socket.remoteAddress ?? '')) return;
  const host = headers.host ?? '';
  if (isLoopbackHost(host) || allowed.has(host.toLowerCase().replace(/:\d+$/, ''))) return;
  throw new TidemarkError('permission_denied', 'Host: only localhost and allowed hosts are accepted', {
    field: 'host',
  });
}

/** Refuses requests of pages of other sites, with which browsers send `Origin`. */
function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new TidemarkError('permission_denied', 'Origin: requests from other sites are refused', { field: 'origin' });
}
