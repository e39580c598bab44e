import type {
  MetricsReply,
  MetricsRequest,
  QueryReply,
  QueryRequest,
  StatusReply,
  TagsReply,
  TagsRequest,
} from '@tidemark/contract';

import type { Variables } from '@tidemark/query-language';
import type { FormulaAnswer, FormulaRequest } from './formula-request.ts';

/** One expression of a query, as the service parsed it. */
export interface AskedExpression {
  /** The text, equal to `expression` of its series in the answer. */
  readonly text: string;
  /** The space aggregator of an expression that is one metric. */
  readonly aggregator: string | undefined;
}

/** An answer, and the parts of the query's text that an API repeats with it, so that no API parses the text again. */
export interface QueryAnswer extends QueryReply {
  /** Expressions in the order of the text. */
  readonly expressions: readonly AskedExpression[];
  /** Keys that any of the leaves groups by, each once. */
  readonly groupBy: readonly string[];
}

/** A query and its range; the variables may be left out. */
export interface AskedQuery extends Omit<QueryRequest, 'variables' | 'variableLists'> {
  readonly variables?: Variables;
}

/** What APIs, pages and commands ask of the query end, in this process or over gRPC. */
export interface QueryReader {
  run(tenant: string, request: AskedQuery, signal?: AbortSignal): Promise<QueryAnswer>;
  runFormulas(tenant: string, request: FormulaRequest, signal?: AbortSignal): Promise<FormulaAnswer>;
  metrics(tenant: string, request: MetricsRequest, signal?: AbortSignal): Promise<MetricsReply>;
  tags(tenant: string, request: TagsRequest, signal?: AbortSignal): Promise<TagsReply>;
  status(tenant: string, signal?: AbortSignal): Promise<StatusReply>;
}
