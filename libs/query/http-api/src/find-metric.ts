import type { MetricDescription, MetricsReply } from '@tidemark/contract';
import type { ReadRoutes } from './datadog-routes.ts';

/**
 * Returns what is known of the metric with exactly this name, and the errors of parts that did not answer. The list of
 * names is by text and limited: it begins just before the name, which is among the first then.
 */
export async function findMetric(
  { service, limits }: Pick<ReadRoutes, 'service' | 'limits'>,
  tenant: string,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly found: MetricDescription | undefined; readonly errors: MetricsReply['errors'] }> {
  const asked = { contains: name, fromMs: 0, limit: limits.described, after: name.slice(0, -1) };
  const { metrics, errors } = await service.metrics(tenant, asked, signal);
  return { found: metrics.find(({ metric }) => metric === name), errors };
}
