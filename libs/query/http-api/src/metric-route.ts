import { type KindName, kindName, kindOfClass, meaningOf, SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { metadataOfMessage } from '@tidemark/store-rpc';
import type { FastifyInstance } from 'fastify';
import { partErrorText } from './datadog-query.ts';
import type { ReadRoutes } from './datadog-routes.ts';
import { findMetric } from './find-metric.ts';
import { requestSignal } from './request-signal.ts';

/**
 * `GET /api/v1/metrics/{name}` of Datadog's API: what is known of a metric. Where only the name suggests the type,
 * `sources.type` is `name`.
 */
export function metricRoute(app: FastifyInstance, read: ReadRoutes): void {
  app.get<{ Params: { name: string } }>('/api/v1/metrics/:name', async (request, reply) => {
    const tenant = read.readerOf(request);
    const { name } = request.params;
    const { found, errors } = await findMetric(read, tenant, name, requestSignal(reply));
    if (found === undefined && errors.length > 0) {
      throw new TidemarkError('unavailable', errors.map(partErrorText).join('; '));
    }
    if (found === undefined) throw new TidemarkError('not_found', `no metric has the name ${name.slice(0, 200)}`);
    const { unit, description, intervalMs, kind } = meaningOf(name, metadataOfMessage(found.metadata));
    const isReading = found.classes[0] === SERIES_CLASS.reading || kind?.source !== 'name';
    return {
      type: isReading && kind !== undefined ? kindName(kind.value) : classType(found.classes[0] as SeriesClass),
      unit: unit?.value ?? null,
      description: description?.value ?? null,
      statsd_interval: intervalMs === undefined ? null : intervalMs.value / 1000,
      sources: {
        type: isReading ? kind?.source : 'protocol',
        unit: unit?.source,
        description: description?.source,
        statsd_interval: intervalMs?.source,
      },
    };
  });
}

function classType(seriesClass: SeriesClass): KindName {
  return kindName(kindOfClass(seriesClass));
}
