import type { PartError, QueryReply, ResultSeries } from '@tidemark/contract';
import { leavesOf, parseQuery, printAggregator, printExpression, type Query } from '@tidemark/query-language';

export interface DatadogQuery {
  readonly query: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * An answer in the shape of Datadog's `GET /api/v1/query` (docs/http-api.md), with what is said of it beside. Where a
 * part is missing the status is `error`, so that nobody takes the rest for the whole.
 */
export function datadogAnswer({ query, fromMs, toMs }: DatadogQuery, reply: QueryReply): Record<string, unknown> {
  const parsed = parseQuery(query);
  const expressions = describeExpressions(parsed);
  const errors = reply.errors.map(partErrorText);
  const failure = errors.length > 0 ? { status: 'error', error: errors.join('; '), message: errors.join('; ') } : {};
  return {
    status: 'ok',
    res_type: 'time_series',
    resp_version: 1,
    query,
    from_date: fromMs,
    to_date: toMs,
    series: reply.series.map((series) => datadogSeries(series, expressions.get(series.expression))),
    values: [],
    times: [],
    message: '',
    group_by: [...new Set(leavesOf(parsed).flatMap((leaf) => leaf.groupBy))],
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

interface ExpressionInfo {
  readonly index: number;
  /** The space aggregator, of an expression that is one metric. */
  readonly aggregator: string | null;
}

function describeExpressions(query: Query): Map<string, ExpressionInfo> {
  const infos = new Map<string, ExpressionInfo>();
  query.expressions.forEach((expression, index) => {
    const text = printExpression(expression);
    const aggregator = expression.type === 'query' ? printAggregator(expression.aggregator) : null;
    if (!infos.has(text)) infos.set(text, { index, aggregator });
  });
  return infos;
}

function datadogSeries(series: ResultSeries, info: ExpressionInfo | undefined): Record<string, unknown> {
  const { metric, tagSet, scope, expression, intervalMs, timesMs, values } = series;
  return {
    unit: null,
    query_index: info?.index ?? 0,
    aggr: info?.aggregator ?? null,
    metric,
    display_name: metric,
    tag_set: tagSet,
    scope,
    expression,
    interval: intervalMs / 1000,
    length: timesMs.length,
    start: timesMs[0],
    // The last millisecond of the last step.
    end: timesMs[timesMs.length - 1] + intervalMs - 1,
    // JSON knows no infinite numbers: they become null.
    pointlist: timesMs.map((timeMs, i) => [timeMs, values[i]]),
    attributes: {},
  };
}
