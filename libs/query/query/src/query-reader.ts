import type {
  MetricsReply,
  MetricsRequest,
  QueryReply,
  QueryRequest,
  StatusReply,
  TagsReply,
  TagsRequest,
} from '@tidemark/contract';

/** What APIs, pages and commands ask of the query end, in this process or over gRPC. */
export interface QueryReader {
  run(tenant: string, request: QueryRequest, signal?: AbortSignal): Promise<QueryReply>;
  metrics(tenant: string, request: MetricsRequest, signal?: AbortSignal): Promise<MetricsReply>;
  tags(tenant: string, request: TagsRequest, signal?: AbortSignal): Promise<TagsReply>;
  status(tenant: string, signal?: AbortSignal): Promise<StatusReply>;
}
