export type {
  Formula,
  FormulaAnswer,
  FormulaRequest,
  FormulaResult,
  FormulaSeries,
  NamedQuery,
} from './formula-request.ts';
export { queryService } from './grpc-query-service.ts';
export type { AskedExpression, AskedQuery, QueryAnswer, QueryReader, Use } from './query-reader.ts';
export { asAnswered } from './query-reader.ts';
export type { QueryServiceOptions } from './query-service.ts';
export { QueryService } from './query-service.ts';
export type { QueryServiceLimits } from './query-service-limits.ts';
export { DEFAULT_QUERY_SERVICE_LIMITS } from './query-service-limits.ts';
export { tenantReader } from './tenant-reader.ts';
