import type { Socket } from 'node:net';
import { type Access, isLocalRequest, type Scope } from '@tidemark/access';
import type { Clock, TidemarkError } from '@tidemark/ports';
import { type QueryReader, tenantReader } from '@tidemark/query';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { acceptsAnyKey, isOperatorRequest, tenantOf } from './caller.ts';
import { ClientErrors } from './client-errors.ts';
import { datadogMetricLists } from './datadog-metric-lists.ts';
import { datadogRoutes, type ReadRoutes } from './datadog-routes.ts';
import { datadogV2Routes } from './datadog-v2-routes.ts';
import { errorReplies } from './error-replies.ts';
import { guard } from './guard.ts';
import { DEFAULT_HTTP_API_LIMITS, type HttpApiLimits } from './http-api-limits.ts';
import { metricRoute } from './metric-route.ts';
import { answerNotFound, refuseForeignData } from './not-found.ts';
import { pageFiles } from './page-files.ts';
import { RouteMethods } from './route-methods.ts';
import { tidemarkRoutes } from './tidemark-routes.ts';

export interface HttpApiOptions {
  /** Answers queries; when omitted, the API has only health and `routes`. */
  readonly service?: QueryReader;
  readonly access: Pick<Access, 'tenantOf'>;
  readonly clock: Clock;
  /** Absolute path of the page's built files; no page when omitted. */
  readonly pageFolder?: string;
  /** Further top-level keys of the status for a tenant: they must not show one tenant what concerns another. */
  readonly statusExtra?: (tenant: string) => Readonly<Record<string, unknown>>;
  /** Why the process can't serve yet; undefined once it can. Ready from the start when omitted. */
  readonly notReady?: () => string | undefined;
  /**
   * Names in `Host` that callers of this machine may use in addition to localhost, such as a proxy's; they need a key.
   */
  readonly allowedHosts?: readonly string[];
  /** Routes of further protocols, in a scope of their own. */
  readonly routes?: (app: FastifyInstance, access: RequestAccess) => void;
  /** Called with the connection and the tenant of a caller that was authenticated. May throw, which refuses the request. */
  readonly onCaller?: (socket: Socket, tenant: string) => void;
  /** Called for data that the platform does not accept, such as logs of Datadog's agents. */
  readonly onNotTaken?: (error: TidemarkError) => void;
  /**
   * Receives one line for each request: method, route, status, time; never headers, URLs with parameters, or bodies.
   */
  readonly logger?: FastifyBaseLogger;
  readonly limits?: Partial<HttpApiLimits>;
}

/** Authentication of requests, for routes of further protocols. */
export interface RequestAccess {
  /**
   * Returns the tenant that a request acts for, by the key in its headers, else by `otherKey`, if a protocol has a key
   * elsewhere. Errors: `unauthenticated`, `permission_denied`.
   */
  tenantOf(request: FastifyRequest, scope: Scope, otherKey?: string): string;
  /** Returns true when any key is accepted from the caller, because no key was created yet. */
  acceptsAnyKey(request: FastifyRequest): boolean;
}

/** Creates the HTTP API and the page (docs/http-api.md); the caller calls `listen` and `close`. */
export function httpApi(options: HttpApiOptions): FastifyInstance {
  const limits = { ...DEFAULT_HTTP_API_LIMITS, ...options.limits };
  const headMs = Math.min(limits.receiveMs, HEAD_MS);
  const headBytes = limits.urlBytes + HEADER_BYTES;
  const { receiveMs, urlBytes } = limits;
  const clientErrors = new ClientErrors({ headMs, receiveMs, headBytes, urlBytes });
  const app: FastifyInstance = Fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: receiveMs,
    http: {
      maxHeaderSize: headBytes,
      headersTimeout: headMs,
      connectionsCheckingInterval: CHECK_MS,
    },
    clientErrorHandler: clientErrors.onError,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    // Clients join a base URL and a path, with a slash too many at either end.
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      // Names of metrics are longer than the router's default of 100; the whole address is limited anyway.
      maxParamLength: urlBytes,
    },
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
  });
  clientErrors.watch(app.server);
  // Browsers send text/plain for other sites without a preflight request; no route accepts it.
  app.removeContentTypeParser('text/plain');
  logRequests(app, options.clock);
  guard(app, limits, options.allowedHosts ?? []);
  refuseForeignData(app, options.onNotTaken ?? (() => undefined));
  errorReplies(app, limits);
  const routeMethods = new RouteMethods(app);

  const access: RequestAccess = {
    tenantOf: (request, scope, otherKey) => {
      const tenant = tenantOf(options.access, request, scope, otherKey);
      options.onCaller?.(request.socket, tenant);
      return tenant;
    },
    acceptsAnyKey: (request) => acceptsAnyKey(options.access, request),
  };
  const { service, statusExtra = () => ({}) } = options;
  if (service !== undefined) {
    const forTenants = tenantReader(service);
    const read: ReadRoutes = {
      limits,
      serviceFor: (request) => (isOperatorRequest(options.access, request) ? service : forTenants),
      readerOf: (request) => access.tenantOf(request, 'read'),
    };
    datadogRoutes(app, read);
    datadogV2Routes(app, read);
    datadogMetricLists(app, { ...read, clock: options.clock });
    metricRoute(app, read);
    tidemarkRoutes(app, { ...read, statusExtra });
  }
  healthRoutes(app, options);
  const { routes } = options;
  if (routes !== undefined) app.register(async (scope) => routes(scope, access));
  if (service !== undefined) pageFiles(app, options.pageFolder, routeMethods);
  else app.setNotFoundHandler((request, reply) => answerNotFound(routeMethods, request, reply));
  return app;
}

/** How long the head of a request may take to arrive, and how often times are checked, ms. */
const HEAD_MS = 10_000;
const CHECK_MS = 1000;
/** Size of the headers without the URL, bytes. */
const HEADER_BYTES = 16 * 1024;

/**
 * `/healthz`: the process runs. `/readyz`: it can serve; 503 until then. Both need no key. The reason is of the process, so
 * operators see it, and callers of this host where the port has no queries.
 */
function healthRoutes(app: FastifyInstance, { notReady, access, service }: HttpApiOptions): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (request, reply) => {
    const reason = notReady?.();
    if (reason === undefined) return { status: 'ok' };
    const isShown = isOperatorRequest(access, request) || (service === undefined && isLocalRequest(request));
    const shown = isShown ? reason : 'not ready; operators see why';
    return reply.code(503).send({ errors: [shown], code: 'unavailable', detail: {} });
  });
}

function logRequests(app: FastifyInstance, clock: Clock): void {
  const started = new WeakMap<FastifyRequest, number>();
  app.addHook('onRequest', async (request) => {
    started.set(request, clock.monotonicMs());
  });
  app.addHook('onResponse', async (request, reply) => {
    const tookMs = clock.monotonicMs() - (started.get(request) ?? 0);
    const route = request.routeOptions.url ?? 'none';
    request.log.info({ method: request.method, route, status: reply.statusCode, tookMs }, 'request');
  });
}
