import type { PartError, ResultSeries } from '@tidemark/contract';
import type { AskedExpression, QueryAnswer } from '@tidemark/query';
import { datadogUnit } from './datadog-unit.ts';
import { JsonList } from './json-stream.ts';

export interface DatadogQuery {
  readonly query: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Converts an answer to the format of Datadog's `GET /api/v1/query` (docs/http-api.md), with completeness, errors, gaps
 * and notes in addition. If a part is missing the status is `error`, so that clients do not use a partial answer as a
 * whole one.
 */
export function datadogAnswer({ query, fromMs, toMs }: DatadogQuery, reply: QueryAnswer): Record<string, unknown> {
  // Of equal expressions the first one counts.
  const expressions = new Map(reply.expressions.map((one, index) => [one.text, { ...one, index }] as const).reverse());
  const errors = reply.errors.map(partErrorText);
  const failure = errors.length > 0 ? { status: 'error', error: errors.join('; '), message: errors.join('; ') } : {};
  return {
    status: 'ok',
    res_type: 'time_series',
    resp_version: 1,
    query,
    from_date: fromMs,
    to_date: toMs,
    series: JsonList.of(reply.series, (series) => datadogSeries(series, expressions.get(series.expression))),
    values: [],
    times: [],
    message: '',
    group_by: reply.groupBy,
    ...failure,
    complete_through: reply.completeThroughMs === undefined ? null : reply.completeThroughMs / 1000,
    errors,
    gaps: reply.gaps,
    notes: reply.notes,
  };
}

export function partErrorText({ part, code, message }: PartError): string {
  return `${part}: ${code}: ${message}`;
}

function datadogSeries(
  series: ResultSeries,
  asked: (AskedExpression & { readonly index: number }) | undefined,
): Record<string, unknown> {
  const { metric, tagSet, scope, expression, intervalMs, timesMs, values, completeSteps, unit } = series;
  return {
    unit: datadogUnit(unit),
    query_index: asked?.index ?? 0,
    aggr: asked?.aggregator ?? null,
    metric,
    display_name: metric,
    tag_set: tagSet,
    scope,
    expression,
    interval: intervalMs / 1000,
    length: timesMs.length,
    // How many points of the list are of complete steps; the others may still change.
    complete_length: completeSteps,
    start: timesMs[0],
    // The last millisecond of the last step.
    end: timesMs[timesMs.length - 1] + intervalMs - 1,
    // JSON has no infinite numbers: they become null.
    pointlist: timesMs.map((timeMs, i) => [timeMs, values[i]]),
    attributes: {},
  };
}
