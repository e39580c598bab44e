import type { MetricsRequest } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import type { QueryAnswer, QueryReader, Use } from '@tidemark/query';
import { writeWord } from '@tidemark/query-language';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { datadogAnswer, partErrorText } from './datadog-query.ts';
import { NO_PROMQL } from './foreign-paths.ts';
import type { HttpApiLimits } from './http-api-limits.ts';
import { sendJson } from './json-stream.ts';
import { parseParameters, secondsText, variablesOf, withFieldsOf } from './parameters.ts';
import { requestSignal } from './request-signal.ts';

export interface ReadRoutes {
  /** What answers a request: to callers who are not operators nothing of processes and of other tenants. */
  readonly serviceFor: (request: FastifyRequest) => QueryReader;
  readonly limits: HttpApiLimits;
  /** Returns the tenant that a request may read. Errors: `unauthenticated`, `permission_denied`. */
  readonly readerOf: (request: FastifyRequest) => string;
}

const QUERY = z.object({ query: z.string().min(1, 'must not be empty'), from: secondsText, to: secondsText });
const METRICS = z.object({
  from: secondsText,
  host: z.string().min(1, 'must not be empty').optional(),
  tag_filter: z.string().optional(),
});
const SEARCH = z.object({ q: z.string() });

/** Adds the part of Datadog's v1 API that reads metrics. */
export function datadogRoutes(app: FastifyInstance, { serviceFor, limits, readerOf }: ReadRoutes): void {
  app.get('/api/v1/query', async (request, reply) => {
    const tenant = readerOf(request);
    refuseInstantQuery(request.query);
    const { query, from: fromMs, to: toMs } = parseParameters(QUERY, request.query);
    if (toMs <= fromMs) {
      const message = `to: ${toMs / 1000} is not after from: ${fromMs / 1000}; give a range that ends after it begins`;
      throw new TidemarkError('invalid_argument', message, { field: 'to' });
    }
    const asked = { query, fromMs, toMs, variables: variablesOf(request.query) };
    const send: Use<QueryAnswer, FastifyReply> = (answer, slice) =>
      sendJson(reply, datadogAnswer(asked, answer), slice);
    return serviceFor(request).run(tenant, asked, send, requestSignal(reply));
  });

  app.get('/api/v1/metrics', async (request, reply) => {
    const tenant = readerOf(request);
    const { from: fromMs, host, tag_filter: tagFilter } = parseParameters(METRICS, request.query);
    if (host !== undefined && tagFilter !== undefined) {
      const message = 'tag_filter: given with host (limit: one of them); add host:NAME to tag_filter';
      throw new TidemarkError('invalid_argument', message, { field: 'tag_filter' });
    }
    const filter = host === undefined ? tagFilter : writeWord(`host:${host}`);
    const names = await withFieldsOf({ filter: 'tag_filter' }, () =>
      metricNames(request, tenant, { contains: '', fromMs, filter }, requestSignal(reply)),
    );
    return { from: String(Math.floor(fromMs / 1000)), ...names };
  });

  app.get('/api/v1/search', async (request, reply) => {
    const tenant = readerOf(request);
    const { q } = parseParameters(SEARCH, request.query);
    const [, facet, text] = /^(?:(\w+):)?(.*)$/s.exec(q) ?? [];
    if (facet !== undefined && facet !== 'metrics') {
      throw new TidemarkError('invalid_argument', `q: the facet ${facet} is not supported (limit: metrics)`, {
        field: 'q',
      });
    }
    const { metrics, ...rest } = await metricNames(
      request,
      tenant,
      { contains: text, fromMs: 0 },
      requestSignal(reply),
    );
    return { results: { metrics }, ...rest };
  });

  async function metricNames(
    request: FastifyRequest,
    tenant: string,
    asked: Omit<MetricsRequest, 'limit'>,
    signal: AbortSignal,
  ) {
    const limit = limits.described;
    const { metrics, errors } = await serviceFor(request).metrics(tenant, { ...asked, limit }, signal);
    return {
      metrics: metrics.map(({ metric }) => metric),
      truncated: metrics.length >= limit,
      errors: errors.map(partErrorText),
    };
  }
}

/** Prometheus' instant query has the path of Datadog's query, but no range. */
function refuseInstantQuery(given: unknown): void {
  const fields: object = given ?? {};
  if ('from' in fields || 'to' in fields || !('query' in fields)) return;
  throw new TidemarkError('invalid_argument', `from: missing; give from and to, seconds since 1970. ${NO_PROMQL}`, {
    field: 'from',
  });
}
