import type {
  MetricReply,
  MetricsReply,
  MetricsRequest,
  QueryReply,
  QueryRequest,
  StatusReply,
  TagsReply,
  TagsRequest,
} from '@tidemark/contract';
import type { WorkSlice } from '@tidemark/ports';
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

/**
 * What is done with an answer, such as sending it. As long as it takes, the query is running: its memory counts, and
 * the signal of `slice` aborts when its time is up or its caller has gone.
 */
export type Use<Answer, T> = (answer: Answer, slice: WorkSlice) => T | Promise<T>;

/** Returns the answer itself, for a caller that uses it at once. */
export function asAnswered<Answer>(answer: Answer): Answer {
  return answer;
}

/** What APIs, pages and commands ask of the query end, in this process or over gRPC. */
export interface QueryReader {
  run<T>(tenant: string, request: AskedQuery, use: Use<QueryAnswer, T>, signal?: AbortSignal): Promise<T>;
  runFormulas<T>(tenant: string, request: FormulaRequest, use: Use<FormulaAnswer, T>, signal?: AbortSignal): Promise<T>;
  metrics(tenant: string, request: MetricsRequest, signal?: AbortSignal): Promise<MetricsReply>;
  metric(tenant: string, name: string, signal?: AbortSignal): Promise<MetricReply>;
  tags(tenant: string, request: TagsRequest, signal?: AbortSignal): Promise<TagsReply>;
  status(tenant: string, signal?: AbortSignal): Promise<StatusReply>;
}
