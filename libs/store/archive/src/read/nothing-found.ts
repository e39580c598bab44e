import { TidemarkError } from '@tidemark/ports';
import type { ArchivedDay } from '../day-manifest.ts';
import { dateOf } from '../day-place.ts';
import { isOfDay } from '../list-days.ts';
import { type ReadParts, segmentOf } from './day-objects.ts';
import type { ArchivedQuery } from './generation-series.ts';

/** Metrics that a message names. */
const NAMED = 10;

/**
 * The error for a query that matches no point: it says what the days have. `days` are those of the whole object store. Errors: those of
 * the store.
 */
export async function nothingFound(
  parts: Omit<ReadParts, 'onFinding'>,
  days: readonly ArchivedDay[],
  { tenant, metric, tags = [] }: ArchivedQuery,
): Promise<TidemarkError> {
  if (days.length === 0) return new TidemarkError('not_found', 'the object store has no archived days');
  const range = `${dateOf(days[0].day)} to ${dateOf(days[days.length - 1].day)}`;
  const metrics = await metricsOf(parts, days);
  const asked = [
    metric === undefined ? 'points' : `points of ${metric}`,
    ...(tenant === undefined ? [] : [`of tenant ${tenant}`]),
    ...(tags.length === 0 ? [] : [`with the tags ${tags.join(', ')}`]),
  ].join(' ');
  const more = metrics.length > NAMED ? ', …' : '';
  const known = `the archived days, ${range}, have ${metrics.slice(0, NAMED).join(', ')}${more} (tenant/metric)`;
  return new TidemarkError('not_found', `no ${asked} in this range; ${known}`);
}

/** Names of metrics, some more than a message has. */
async function metricsOf(parts: Omit<ReadParts, 'onFinding'>, days: readonly ArchivedDay[]): Promise<string[]> {
  const found = new Set<string>();
  for (const day of days) {
    for (const part of day.segments.keys()) {
      try {
        for await (const { tenant, metric } of (await segmentOf(parts, day, part)).allGroups()) {
          found.add(`${Buffer.from(tenant)}/${Buffer.from(metric)}`);
          if (found.size > NAMED) return [...found];
        }
      } catch (error) {
        if (!isOfDay(error)) throw error;
      }
    }
  }
  return [...found];
}
