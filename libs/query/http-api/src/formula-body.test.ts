import { describe, expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import { inBody, scalarRequest, timeseriesRequest } from './formula-body.ts';

const FROM_MS = 1_700_000_000_000;
const RANGE = { from: FROM_MS, to: FROM_MS + 60_000 };
const QUERY = { data_source: 'metrics', query: 'avg:m{*}' };

function bodyOf(attributes: object, type = 'timeseries_request') {
  return { data: { type, attributes: { ...RANGE, queries: [QUERY], ...attributes } } };
}

describe('a body', () => {
  test('names, formulas, limits and the interval are read', () => {
    const formulas = [
      { formula: 'a + b', limit: { count: 3, order: 'asc' } },
      { formula: 'a', limit: {} },
    ];
    const queries = [QUERY, { ...QUERY, name: 'x' }, QUERY];
    expect(timeseriesRequest(bodyOf({ queries, formulas, interval: 5000 }))).toEqual({
      queries: ['a', 'x', 'c'].map((name) => ({ name, query: 'avg:m{*}' })),
      formulas: [
        { formula: 'a + b', limit: { count: 3, order: 'asc' } },
        { formula: 'a', limit: { count: 10_000, order: 'desc' } },
      ],
      fromMs: RANGE.from,
      toMs: RANGE.to,
      intervalMs: 5000,
    });
    const scalar = bodyOf(
      { queries: ['avg', 'l2norm'].map((aggregator) => ({ ...QUERY, aggregator })) },
      'scalar_request',
    );
    expect(scalarRequest(scalar).queries.map(({ reduction }) => reduction)).toEqual(['mean', 'l2norm']);
  });

  const item = (more: object) => bodyOf({ queries: [{ ...QUERY, ...more }] });
  const scalarItem = (more: object) => bodyOf({ queries: [{ ...QUERY, ...more }] }, 'scalar_request');
  test.each([
    [timeseriesRequest, null, 'body: '],
    [timeseriesRequest, {}, 'data: missing'],
    [timeseriesRequest, bodyOf({}, 'scalar_request'), 'data.type: "scalar_request" (one of: timeseries_request)'],
    [timeseriesRequest, bodyOf({ from: undefined }), 'data.attributes.from: missing; give milliseconds since 1970'],
    [timeseriesRequest, bodyOf({ from: 1_700_000_000 }), 'data.attributes.from: 1700000000 is not in milliseconds'],
    [timeseriesRequest, bodyOf({ to: FROM_MS + 0.5 }), 'data.attributes.to: '],
    [timeseriesRequest, bodyOf({ to: FROM_MS }), `data.attributes.to: ${FROM_MS} is not after from: ${FROM_MS}`],
    [timeseriesRequest, bodyOf({ interval: 0 }), 'data.attributes.interval: 0 (limit: 1 to '],
    [timeseriesRequest, bodyOf({ queries: [] }), 'data.attributes.queries: empty (limit: at least one query)'],
    [timeseriesRequest, bodyOf({ queries: Array(101).fill(QUERY) }), 'data.attributes.queries: more than 100'],
    [timeseriesRequest, bodyOf({ formulas: Array(101).fill({ formula: 'a' }) }), 'data.attributes.formulas: more than'],
    [timeseriesRequest, bodyOf({ fill: 'zero' }), 'data.attributes: unknown field "fill"'],
    [
      timeseriesRequest,
      item({ data_source: 'logs', compute: {} }),
      'data.attributes.queries.0.data_source: "logs" (one of: metrics)',
    ],
    [timeseriesRequest, item({ data_source: undefined }), 'data.attributes.queries.0.data_source: missing'],
    [timeseriesRequest, item({ cross_org_uuids: ['u'] }), 'data.attributes.queries.0: unknown field "cross_org_uuids"'],
    [timeseriesRequest, item({ query: 7 }), 'data.attributes.queries.0.query: 7 (limit: a string)'],
    [scalarRequest, scalarItem({}), 'data.attributes.queries.0.aggregator: missing (one of: avg, '],
    [
      scalarRequest,
      scalarItem({ aggregator: 'percentile' }),
      'data.attributes.queries.0.aggregator: "percentile" (one of: avg, ',
    ],
    [
      timeseriesRequest,
      bodyOf({ formulas: [{ formula: 'a', limit: { count: 0 } }] }),
      'data.attributes.formulas.0.limit.count: 0 (limit: 1 to 10000)',
    ],
    [
      timeseriesRequest,
      bodyOf({ formulas: [{ formula: 'a', limit: { order: 'up' } }] }),
      'data.attributes.formulas.0.limit.order: "up" (one of: desc, asc)',
    ],
  ])('%p refuses %j: %s', (read, body, message) => {
    let error: unknown;
    try {
      read(body);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(message) });
    expect(error).toMatchObject({ detail: { field: message.split(':')[0] } });
  });

  test('an error of the query service gets the place of its field in the body', () => {
    const of = (field: string) => inBody(new TidemarkError('invalid_argument', `${field}: wrong`, { field }));
    expect(of('queries.0.query')).toMatchObject({
      message: 'data.attributes.queries.0.query: wrong',
      detail: { field: 'data.attributes.queries.0.query' },
    });
    expect(of('rollup')).toMatchObject({ message: 'rollup: wrong', detail: { field: 'rollup' } });
    const other = new Error('other');
    expect(inBody(other)).toBe(other);
  });
});
