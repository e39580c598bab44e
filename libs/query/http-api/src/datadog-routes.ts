import { TidemarkError } from '@tidemark/ports';
import type { QueryReader } from '@tidemark/query';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { datadogAnswer, partErrorText } from './datadog-query.ts';
import type { HttpApiLimits } from './http-api-limits.ts';
import { parseParameters, secondsText, variablesOf } from './parameters.ts';
import { requestSignal } from './request-signal.ts';

export interface ReadRoutes {
  readonly service: QueryReader;
  readonly limits: HttpApiLimits;
  /** Returns the tenant that a request may read. Errors: `unauthenticated`, `permission_denied`. */
  readonly readerOf: (request: FastifyRequest) => string;
}

const QUERY = z.object({ query: z.string().min(1, 'must not be empty'), from: secondsText, to: secondsText });
/** Filters of Datadog that are refused, because an ignored filter would widen the answer silently. */
const UNSUPPORTED = z.undefined('is not supported').optional();
const METRICS = z.object({ from: secondsText, host: UNSUPPORTED, tag_filter: UNSUPPORTED });
const SEARCH = z.object({ q: z.string() });

/** Adds the part of Datadog's v1 API that reads metrics. */
export function datadogRoutes(app: FastifyInstance, { service, limits, readerOf }: ReadRoutes): void {
  app.get('/api/v1/query', async (request, reply) => {
    const tenant = readerOf(request);
    const { query, from: fromMs, to: toMs } = parseParameters(QUERY, request.query);
    if (toMs <= fromMs) {
      const message = `to: ${toMs / 1000} is not after from: ${fromMs / 1000}; give a range that ends after it begins`;
      throw new TidemarkError('invalid_argument', message, { field: 'to' });
    }
    const asked = { query, fromMs, toMs, variables: variablesOf(request.query) };
    return datadogAnswer(asked, await service.run(tenant, asked, requestSignal(reply)));
  });

  app.get('/api/v1/metrics', async (request, reply) => {
    const tenant = readerOf(request);
    const { from: fromMs } = parseParameters(METRICS, request.query);
    const names = await metricNames(tenant, '', fromMs, requestSignal(reply));
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
    const { metrics, ...rest } = await metricNames(tenant, text, 0, requestSignal(reply));
    return { results: { metrics }, ...rest };
  });

  async function metricNames(tenant: string, contains: string, fromMs: number, signal: AbortSignal) {
    const limit = limits.described;
    const { metrics, errors } = await service.metrics(tenant, { contains, fromMs, limit }, signal);
    return {
      metrics: metrics.map(({ metric }) => metric),
      truncated: metrics.length >= limit,
      errors: errors.map(partErrorText),
    };
  }
}
