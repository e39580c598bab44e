import { RANK_ORDERS, type RankMethod } from '@tidemark/fold';
import { TidemarkError } from '@tidemark/ports';
import type { Formula, FormulaRequest } from '@tidemark/query';
import { z } from 'zod';
import { parseParameters, renamedField } from './parameters.ts';

/** The last millisecond that a JavaScript date can have. */
const LATEST_MS = 8_640_000_000_000_000;
/** Below this number of milliseconds (March 1973) seconds were meant. */
const SECONDS_BELOW = 1e11;
/** Queries of a request, and formulas; and the series that a limit keeps. */
const MAX_QUERIES = 100;
const MAX_KEPT = 10_000;

/** Datadog's words for how a query becomes one value. */
const REDUCTIONS = {
  avg: 'mean',
  mean: 'mean',
  min: 'min',
  max: 'max',
  sum: 'sum',
  last: 'last',
  l2norm: 'l2norm',
  area: 'area',
} as const satisfies Record<string, RankMethod>;

const AGGREGATORS = Object.keys(REDUCTIONS).filter(isAggregator);

function isAggregator(name: string): name is keyof typeof REDUCTIONS {
  return Object.hasOwn(REDUCTIONS, name);
}

/** A message `found (limit: …)` for a value that is not one of a few. */
function oneOf(names: readonly string[]) {
  return { error: ({ input }: { readonly input?: unknown }) => `${textOf(input)} (one of: ${names.join(', ')})` };
}

function textOf(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value)?.slice(0, 40) ?? typeof value);
}

const timeMs = z
  .int()
  .min(SECONDS_BELOW, {
    error: ({ input }) =>
      `${input} is not in milliseconds (limit: milliseconds since 1970, from ${SECONDS_BELOW}); multiply seconds by 1000`,
  })
  .max(LATEST_MS, `is too late (limit: ${LATEST_MS})`);

function count(max: number) {
  const limit = { error: ({ input }: { readonly input?: unknown }) => `${input} (limit: 1 to ${max})` };
  return z.int().min(1, limit).max(max, limit);
}

const formulaItem = z.strictObject({
  formula: z.string(),
  limit: z
    .strictObject({
      count: count(MAX_KEPT).default(MAX_KEPT),
      order: z.enum(RANK_ORDERS, oneOf(RANK_ORDERS)).default('desc'),
    })
    .optional(),
});

/** Other sources have other fields, so the source is checked first. */
const metricsOnly = z.looseObject({
  data_source: z.custom<string>((source) => source === 'metrics', oneOf(['metrics'])),
});
const seriesQuery = metricsOnly.pipe(
  z.strictObject({ data_source: z.string(), name: z.string().optional(), query: z.string() }),
);
const scalarQuery = metricsOnly.pipe(
  z.strictObject({
    data_source: z.string(),
    name: z.string().optional(),
    query: z.string(),
    aggregator: z.enum(AGGREGATORS, oneOf(AGGREGATORS)),
  }),
);

function atMost<T extends z.ZodType>(item: T, max: number) {
  return z.array(item).max(max, `more than ${max} (limit: ${max})`);
}

function attributes<T extends z.ZodType>(query: T) {
  return {
    from: timeMs,
    to: timeMs,
    queries: atMost(query, MAX_QUERIES).min(1, 'empty (limit: at least one query)'),
    formulas: atMost(formulaItem, MAX_QUERIES).default([]),
  };
}

/** The envelope of the API: a type, and the attributes. */
function body<T extends z.ZodType>(type: string, of: T) {
  return z.object({ data: z.object({ type: z.literal(type, oneOf([type])), attributes: of }) });
}

const TIMESERIES = body(
  'timeseries_request',
  z.strictObject({ ...attributes(seriesQuery), interval: count(LATEST_MS).optional() }),
);
const SCALAR = body('scalar_request', z.strictObject(attributes(scalarQuery)));

/** Where the attributes are, for the fields of errors. */
const ATTRIBUTES = 'data.attributes';

/** Reads the body of `POST /api/v2/query/timeseries`. Error: `invalid_argument` with the field of the body. */
export function timeseriesRequest(values: unknown): FormulaRequest {
  const { from, to, interval, queries, formulas } = parseParameters(TIMESERIES, values).data.attributes;
  checkOrder(from, to);
  return {
    queries: queries.map(({ name, query }, i) => ({ name: name ?? defaultName(i), query })),
    formulas: formulas satisfies Formula[],
    ...{ fromMs: from, toMs: to },
    ...(interval === undefined ? {} : { intervalMs: interval }),
  };
}

/** Reads the body of `POST /api/v2/query/scalar`. Error: `invalid_argument` with the field of the body. */
export function scalarRequest(values: unknown): FormulaRequest {
  const { from, to, queries, formulas } = parseParameters(SCALAR, values).data.attributes;
  checkOrder(from, to);
  return {
    queries: queries.map(({ name, query, aggregator }, i) => ({
      ...{ name: name ?? defaultName(i), query },
      reduction: REDUCTIONS[aggregator],
    })),
    formulas,
    ...{ fromMs: from, toMs: to },
  };
}

/** `a`, `b`, … as in Datadog's editor, then `query27` and so on. */
function defaultName(index: number): string {
  return index < 26 ? String.fromCharCode(97 + index) : `query${index + 1}`;
}

function checkOrder(from: number, to: number): void {
  if (to > from) return;
  const message = `${ATTRIBUTES}.to: ${to} is not after from: ${from}; give a range that ends after it begins`;
  throw new TidemarkError('invalid_argument', message, { field: `${ATTRIBUTES}.to` });
}

/** The error of a request with the field of the body that it is about. */
export function inBody(error: unknown): unknown {
  return renamedField(error, (field) => (/^(queries|formulas)\b/.test(field) ? `${ATTRIBUTES}.${field}` : undefined));
}
