import type { Scope } from '@tidemark/access';

/** Who may call an endpoint, and a call of it. */
export interface Rule {
  /**
   * The scope that a caller needs, or `any` for one of them; each caller may call when it is omitted, and then learns nothing
   * of a tenant.
   */
  readonly scope?: Scope | 'any';
  /** Only the default tenant may call: it concerns every tenant. */
  readonly isForOperators?: boolean;
  /** Of a route: its path where it has parameters, and the rest of a request. */
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of an RPC: the request, the first one of a stream. */
  readonly message?: unknown;
}

/** Headers of a request with JSON. */
export const JSON_BODY = { 'content-type': 'application/json' };
const RANGE = `from=${Math.floor(Date.now() / 1000) - 600}&to=${Math.floor(Date.now() / 1000) + 60}`;
const RANGE_MS = { fromMs: Date.now() - 600_000, toMs: Date.now() + 60_000 };
const RANGE_BODY = { from: RANGE_MS.fromMs, to: RANGE_MS.toMs };
const FORMULA = { formulas: [{ formula: 'a' }] };
const QUERIED = { data_source: 'metrics', name: 'a', query: 'sum:asked.metric{*} by {why}' };

function formulaBody(type: string, query: object): string {
  return JSON.stringify({ data: { type, attributes: { ...RANGE_BODY, ...FORMULA, queries: [query] } } });
}

/** Each route of the HTTP server, without HEAD. They ask for a metric that only the default tenant has. */
export const HTTP_RULES: Readonly<Record<string, Rule>> = {
  'GET /api/v1/query': { scope: 'read', query: `?query=sum:asked.metric{*}&${RANGE}` },
  'GET /api/v1/metrics': { scope: 'read', query: '?from=0' },
  'GET /api/v1/search': { scope: 'read', query: '?q=metrics:hidden' },
  'POST /api/v2/query/timeseries': {
    ...{ scope: 'read', headers: JSON_BODY, body: formulaBody('timeseries_request', QUERIED) },
  },
  'POST /api/v2/query/scalar': {
    ...{ scope: 'read', headers: JSON_BODY, body: formulaBody('scalar_request', { ...QUERIED, aggregator: 'sum' }) },
  },
  'GET /api/v2/metrics': { scope: 'read' },
  // The paths name no metric of the default tenant: a caller's own words come back in an error.
  'GET /api/v2/metrics/:metric/all-tags': { scope: 'read', path: '/api/v2/metrics/some.metric/all-tags' },
  'GET /api/v1/metrics/:name': { scope: 'read', path: '/api/v1/metrics/some.metric' },
  'POST /api/tidemark/v1/query': {
    ...{ scope: 'read', headers: JSON_BODY },
    body: JSON.stringify({ query: 'sum:*{*}', from_ms: RANGE_MS.fromMs, to_ms: RANGE_MS.toMs }),
  },
  'GET /api/tidemark/v1/metrics': { scope: 'read' },
  'GET /api/tidemark/v1/tags': { scope: 'read', query: '?metric=some.metric' },
  'GET /api/tidemark/v1/status': { scope: 'read' },
  'GET /healthz': {},
  'GET /readyz': {},
  'GET /api/v1/validate': { scope: 'any' },
  'POST /api/v1/series': { scope: 'send', headers: JSON_BODY, body: '{"series":[]}' },
  'POST /api/v2/series': { scope: 'send', headers: JSON_BODY, body: '{"series":[]}' },
  'POST /api/v1/distribution_points': { scope: 'send', headers: JSON_BODY, body: '{"series":[]}' },
  'POST /api/beta/sketches': { scope: 'send', headers: { 'content-type': 'application/x-protobuf' }, body: '' },
  'POST /api/v1/check_run': { scope: 'send', headers: JSON_BODY, body: '[]' },
  'PUT /api/v1/metrics/:name': {
    ...{ scope: 'send', path: '/api/v1/metrics/some.metric', headers: JSON_BODY, body: '{"type":"gauge"}' },
  },
  'POST /api/v1/write': { scope: 'send', headers: { 'content-type': 'application/x-protobuf' }, body: '' },
};

const SESSION = Buffer.alloc(16, 7);
const RANGE_ASKED = { ...RANGE_MS, limit: 100 };

/** Each RPC of the gRPC server. */
export const RPC_RULES: Readonly<Record<string, Rule>> = {
  '/grpc.health.v1.Health/Check': { message: { service: '' } },
  '/grpc.health.v1.Health/Watch': { message: { service: '' } },
  '/grpc.health.v1.Health/List': { message: {} },
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': { message: { listServices: '' } },
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': { message: { listServices: '' } },
  '/tidemark.v1.Intake/Send': {
    scope: 'send',
    message: { message: { $case: 'hello', value: { clientSession: SESSION, clientName: 'hidden-agent' } } },
  },
  '/tidemark.v1.Intake/StateMetric': {
    scope: 'send',
    message: { metric: 'some.metric', change: { unit: 'byte' } },
  },
  '/tidemark.v1.Control/Skip': {
    ...{ scope: 'admin', isForOperators: true },
    message: { topic: 'points', partition: 0, offset: 0, reason: 'none' },
  },
  '/tidemark.v1.Control/CreateKey': { scope: 'admin', message: { tenant: '', name: 'made', scopes: ['read'] } },
  '/tidemark.v1.Control/RevokeKey': { scope: 'admin', message: { tenant: '', name: 'made' } },
  '/tidemark.v1.Control/ListKeys': { scope: 'admin', message: { tenant: '' } },
  '/tidemark.v1.Control/StateHash': { scope: 'admin', isForOperators: true, message: {} },
  '/tidemark.v1.Process/Health': { scope: 'admin', isForOperators: true, message: {} },
  '/tidemark.v1.Process/Session': { scope: 'admin', isForOperators: true, message: { tenant: 'default' } },
  '/tidemark.v1.Snapshots/Create': { scope: 'admin', isForOperators: true, message: { kind: '', partitions: [] } },
  '/tidemark.v1.Query/Run': {
    scope: 'read',
    message: { query: 'sum:asked.metric{*} by {why}', ...RANGE_MS, variables: {}, variableLists: undefined },
  },
  '/tidemark.v1.Query/Metric': { scope: 'read', message: { metric: 'some.metric' } },
  '/tidemark.v1.Query/Metrics': { scope: 'read', message: { contains: '', ...RANGE_ASKED } },
  '/tidemark.v1.Query/Tags': { scope: 'read', message: { metric: 'asked.metric', ...RANGE_ASKED } },
  '/tidemark.v1.Query/Status': { scope: 'read', message: {} },
};
