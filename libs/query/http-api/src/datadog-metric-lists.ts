import type { PartError } from '@tidemark/contract';
import { type Clock, TidemarkError } from '@tidemark/ports';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { partErrorText } from './datadog-query.ts';
import type { ReadRoutes } from './datadog-routes.ts';
import { countText, parseParameters, withFieldsOf } from './parameters.ts';
import { requestSignal } from './request-signal.ts';

export interface MetricListRoutes extends ReadRoutes {
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** Datadog's bounds of a window, s, and of a page. */
const MAX_WINDOW_S = 2_592_000;
const DEFAULT_LIST_WINDOW_S = 3_600;
const TAGS_WINDOW_S = 14_400;
const MAX_PAGE = 10_000;

const flag = z
  .enum(['true', 'false'], { error: ({ input }) => `${JSON.stringify(input)} (limit: true or false)` })
  .transform((text) => text === 'true');
const METRICS = z.object({
  'filter[tags]': z.string().optional(),
  'window[seconds]': countText(MAX_WINDOW_S).default(DEFAULT_LIST_WINDOW_S),
  'page[size]': countText(MAX_PAGE).optional(),
  'page[cursor]': z.string().optional(),
});
const TAGS = z.object({
  'filter[tags]': z.string().optional(),
  'filter[match]': z.string().default(''),
  'filter[include_tag_values]': flag.default(true),
  'filter[allow_partial]': flag.default(false),
  'window[seconds]': countText(MAX_WINDOW_S).default(TAGS_WINDOW_S),
  'page[limit]': countText(MAX_PAGE).optional(),
});

/** Adds the part of Datadog's v2 API that lists metrics and the tags of one. */
export function datadogMetricLists(
  app: FastifyInstance,
  { serviceFor, limits, readerOf, clock }: MetricListRoutes,
): void {
  const windowOf = (seconds: number) => Math.max(0, Math.floor(clock.wallMs()) - seconds * 1000);

  app.get('/api/v2/metrics', async (request, reply) => {
    const tenant = readerOf(request);
    const asked = parseList(METRICS, request.query);
    const limit = Math.min(asked['page[size]'] ?? MAX_PAGE, limits.described);
    const cursor = asked['page[cursor]'];
    const { metrics, errors, gaps } = await withFieldsOf({ filter: 'filter[tags]' }, () =>
      serviceFor(request).metrics(
        tenant,
        {
          ...{ contains: '', limit, fromMs: windowOf(asked['window[seconds]']), filter: asked['filter[tags]'] },
          after: cursor === undefined ? undefined : nameOfCursor(cursor),
        },
        requestSignal(reply),
      ),
    );
    const last = metrics.length < limit ? undefined : metrics[metrics.length - 1].metric;
    const pagination = {
      ...{ type: 'cursor_limit', limit },
      ...(cursor === undefined ? {} : { cursor }),
      // The client asks on as long as there is one, even if it is null.
      ...(last === undefined ? {} : { next_cursor: Buffer.from(last).toString('base64url') }),
    };
    return {
      data: metrics.map(({ metric }) => ({ type: 'metrics', id: metric })),
      meta: { pagination, errors: errors.map(partErrorText), gaps },
    };
  });

  app.get<{ Params: { metric: string } }>('/api/v2/metrics/:metric/all-tags', async (request, reply) => {
    const tenant = readerOf(request);
    const { metric } = request.params;
    const asked = parseList(TAGS, request.query);
    const signal = requestSignal(reply);
    const toMs = Math.floor(clock.wallMs()) + 1;
    const range = { fromMs: windowOf(asked['window[seconds]']), toMs };
    const { keys, errors, gaps } = await withFieldsOf({ filter: 'filter[tags]' }, () =>
      serviceFor(request).tags(
        tenant,
        { metric, ...range, limit: limits.described, filter: asked['filter[tags]'] },
        signal,
      ),
    );
    if (!asked['filter[allow_partial]']) refuseParts(errors);
    if (keys.length === 0 && errors.length === 0) await serviceFor(request).metric(tenant, metric, signal);
    const found = asked['filter[include_tag_values]']
      ? keys.flatMap(({ key, top }) => top.map(({ value }) => (value === '' ? key : `${key}:${value}`)))
      : keys.map(({ key }) => key);
    const matching = found.filter((tag) => tag.includes(asked['filter[match]'])).sort();
    const tags = matching.slice(0, asked['page[limit]'] ?? matching.length);
    const hasMoreValues = asked['filter[include_tag_values]'] && keys.some(({ values, top }) => values > top.length);
    return {
      data: { type: 'metrics', id: metric, attributes: { tags, ingested_tags: tags } },
      meta: { truncated: hasMoreValues || tags.length < matching.length, errors: errors.map(partErrorText), gaps },
    };
  });
}

/** Parameters that would change what is listed are refused when they have no effect here. */
function parseList<T>(schema: z.ZodType<T> & { readonly shape: object }, query: unknown): T {
  for (const field of Object.keys(query ?? {})) {
    if (!/^(filter\[|include$|sort$)/.test(field) || Object.hasOwn(schema.shape, field)) continue;
    throw new TidemarkError(
      'invalid_argument',
      `${field}: is not supported (one of: ${Object.keys(schema.shape).join(', ')})`,
      { field },
    );
  }
  return parseParameters(schema, query);
}

function nameOfCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const name = bytes.toString();
  if (name !== '' && Buffer.from(name).toString('base64url') === cursor) return name;
  const message = `page[cursor]: ${cursor.slice(0, 40)} (limit: next_cursor of an earlier answer)`;
  throw new TidemarkError('invalid_argument', message, { field: 'page[cursor]' });
}

/** Error: `unavailable` when a part could not answer. */
function refuseParts(errors: readonly PartError[]): void {
  if (errors.length === 0) return;
  const message = `${errors.map(partErrorText).join('; ')}; retry later, or set filter[allow_partial]=true`;
  throw new TidemarkError('unavailable', message);
}
