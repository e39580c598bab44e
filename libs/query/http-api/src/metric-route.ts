import { isSeriesClass, kindName, shownMeaning } from '@tidemark/model';
import { metadataOfMessage } from '@tidemark/store-rpc';
import type { FastifyInstance } from 'fastify';
import type { ReadRoutes } from './datadog-routes.ts';
import { requestSignal } from './request-signal.ts';

/**
 * `GET /api/v1/metrics/{name}` of Datadog's API: what is known of a metric. Where only the name suggests the type,
 * `sources.type` is `name`.
 */
export function metricRoute(app: FastifyInstance, read: ReadRoutes): void {
  app.get<{ Params: { name: string } }>('/api/v1/metrics/:name', async (request, reply) => {
    const tenant = read.readerOf(request);
    const { name } = request.params;
    const { description: found } = await read.serviceFor(request).metric(tenant, name, requestSignal(reply));
    const classes = found?.classes.filter(isSeriesClass) ?? [];
    const { kind, unit, description, intervalMs } = shownMeaning(name, classes, metadataOfMessage(found?.metadata));
    return {
      type: kind === undefined ? null : kindName(kind.value),
      unit: unit?.value ?? null,
      description: description?.value ?? null,
      statsd_interval: intervalMs === undefined ? null : intervalMs.value / 1000,
      sources: {
        type: kind?.source,
        unit: unit?.source,
        description: description?.source,
        statsd_interval: intervalMs?.source,
      },
    };
  });
}
