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

/** Paths of the API, also with doubled slashes and percent-encoded letters. */
const API_PATH = /^\/+(a|%61)(p|%70)(i|%69)(\/|%2f)/i;

/** Checks every request before any other handler, and sets the headers of every response. */
export function guard(app: FastifyInstance, limits: HttpApiLimits, allowedHosts: readonly string[]): void {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...HEADERS, 'x-request-id': request.id });
    if (API_PATH.test(request.url)) reply.header('cache-control', 'no-store');
    checkFetchSite(request);
    checkOrigin(request);
    checkHost(request, allowed);
    if (request.url.length > limits.urlBytes) {
      throw new TidemarkError(
        'invalid_argument',
        `url: ${request.url.length} bytes (limit: http.urlBytes, ${limits.urlBytes})`,
        {
          field: 'url',
          limit: limits.urlBytes,
        },
      );
    }
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
  throw new TidemarkError(
    'permission_denied',
    `Host: ${host.slice(0, 100)} (limit: localhost or a loopback address, from this machine)`,
    {
      field: 'host',
    },
  );
}

/**
 * Refuses requests that a page of another site makes, of every method: an image or a script of it is a GET without
 * `Origin`. A link to the page is a navigation, which shows a view and does no work of the API.
 */
function checkFetchSite({ method, url, headers }: FastifyRequest): void {
  if (headers['sec-fetch-site'] !== 'cross-site') return;
  const isNavigation = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (method === 'GET' && isNavigation && !API_PATH.test(url)) return;
  throw new TidemarkError(
    'permission_denied',
    'Sec-Fetch-Site: cross-site (limit: pages of this server, and programs other than browsers)',
    {
      field: 'sec-fetch-site',
    },
  );
}

/** Refuses requests of pages of other sites, with which browsers send `Origin`. */
function checkOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new TidemarkError(
    'permission_denied',
    `Origin: ${origin.slice(0, 100)} (limit: pages of this server, and programs other than browsers)`,
    {
      field: 'origin',
    },
  );
}
