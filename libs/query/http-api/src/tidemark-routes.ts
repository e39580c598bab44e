import type { DescribedMetric } from '@tidemark/contract';
import { isKind, isSeriesClass, type KindName, kindName, meaningOf, seriesClassName, shownKind } from '@tidemark/model';
import type { QueryAnswer, Use } from '@tidemark/query';
import { metadataOfMessage } from '@tidemark/store-rpc';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ReadRoutes } from './datadog-routes.ts';
import { JsonList, sendJson } from './json-stream.ts';
import { countText, parseParameters, secondsText } from './parameters.ts';
import { requestSignal } from './request-signal.ts';
import { statusJson } from './status-json.ts';
import { toJson } from './to-json.ts';

export interface TidemarkRoutes extends ReadRoutes {
  /** Further keys of the status for a tenant; they must differ from those of the query service. */
  readonly statusExtra: (tenant: string) => Readonly<Record<string, unknown>>;
}

const QUERY = z.strictObject({
  query: z.string().min(1, 'must not be empty'),
  from_ms: z.int(),
  to_ms: z.int(),
  variables: z
    .record(
      z.string(),
      z.union([z.string(), z.array(z.string())], {
        error: ({ input }) => `${JSON.stringify(input)?.slice(0, 40)} (limit: a string, or a list of strings)`,
      }),
    )
    .default({}),
});

/** Adds Tidemark's own API: the contract's messages as JSON. */
export function tidemarkRoutes(
  app: FastifyInstance,
  { serviceFor, limits, readerOf, statusExtra }: TidemarkRoutes,
): void {
  const metricsParameters = z.object({
    contains: z.string().default(''),
    from: secondsText.optional(),
    limit: countText(limits.described).optional(),
  });
  const tagsParameters = z.object({
    metric: z.string().min(1, 'must not be empty'),
    from: secondsText.optional(),
    to: secondsText.optional(),
    limit: countText(limits.described).optional(),
  });

  app.post('/api/tidemark/v1/query', async (request, reply) => {
    const tenant = readerOf(request);
    const { query, from_ms: fromMs, to_ms: toMs, variables } = parseParameters(QUERY, request.body);
    const send: Use<QueryAnswer, FastifyReply> = (answer, slice) => sendJson(reply, answerJson(answer), slice);
    return serviceFor(request).run(tenant, { query, fromMs, toMs, variables }, send, requestSignal(reply));
  });

  app.get('/api/tidemark/v1/metrics', async (request, reply) => {
    const tenant = readerOf(request);
    const { contains, from, limit = limits.described } = parseParameters(metricsParameters, request.query);
    const answer = await serviceFor(request).metrics(
      tenant,
      { contains, fromMs: from ?? 0, limit },
      requestSignal(reply),
    );
    return {
      metrics: answer.metrics.map((description) => ({
        metric: description.metric,
        classes: description.classes.map((one) => (isSeriesClass(one) ? seriesClassName(one) : String(one))),
        kinds: shownKinds(description),
        series: description.series,
        last_day_ms: description.lastDayMs,
      })),
      truncated: answer.metrics.length >= limit,
      errors: answer.errors,
      gaps: answer.gaps,
    };
  });

  app.get('/api/tidemark/v1/tags', async (request, reply) => {
    const tenant = readerOf(request);
    const { metric, from, to, limit = limits.described } = parseParameters(tagsParameters, request.query);
    const range = { fromMs: from ?? 0, toMs: to ?? 0 };
    const { keys, errors, gaps } = await serviceFor(request).tags(
      tenant,
      { metric, ...range, limit },
      requestSignal(reply),
    );
    return { metric, keys, errors, gaps };
  });

  app.get('/api/tidemark/v1/status', async (request, reply) => {
    const tenant = readerOf(request);
    const status = await serviceFor(request).status(tenant, requestSignal(reply));
    return { ...statusExtra(tenant), ...statusJson(status) };
  });
}

function answerJson(answer: QueryAnswer): Record<string, unknown> {
  return {
    series: JsonList.of(answer.series, ({ kind, timesMs, values, ...series }) => ({
      ...(toJson(series) as object),
      kind: nameOf(kind),
      times_ms: timesMs,
      values,
    })),
    complete_through_ms: answer.completeThroughMs ?? null,
    errors: answer.errors,
    gaps: answer.gaps,
    notes: answer.notes,
    points_read: answer.pointsRead,
    series_read: answer.seriesRead,
  };
}

function nameOf(kind: number): string {
  return isKind(kind) ? kindName(kind) : String(kind);
}

/** The names of the kinds that a metric's series are shown as, by their classes. */
function shownKinds({ metric, classes, metadata }: DescribedMetric): KindName[] {
  const meaning = meaningOf(metric, metadataOfMessage(metadata));
  return classes.filter(isSeriesClass).map((one) => kindName(shownKind(metric, one, meaning).value));
}
