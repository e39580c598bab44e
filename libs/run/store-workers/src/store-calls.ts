import {
  AggregateReply,
  AggregateRequest,
  AggregatorStatusReply,
  AggregatorStatusRequest,
  DescribeMetricsReply,
  DescribeMetricsRequest,
  DescribeTagsReply,
  DescribeTagsRequest,
  MatchReply,
  MatchRequest,
  PartitionStatusReply,
  PartitionStatusRequest,
  PointStateHashReply,
  PointStateHashRequest,
  PositionsReply,
  PositionsRequest,
  SeriesCountsReply,
  SeriesCountsRequest,
  SeriesTagsReply,
  SeriesTagsRequest,
  TagPartitionStatusReply,
  TagPartitionStatusRequest,
} from '@tidemark/contract';

/** How a message of the contract becomes bytes and back; ts-proto's generated objects are of this shape. */
interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface Call<Request, Reply> {
  readonly request: Codec<Request>;
  readonly reply: Codec<Reply>;
}

function call<Request, Reply>(request: Codec<Request>, reply: Codec<Reply>): Call<Request, Reply> {
  return { request, reply };
}

/**
 * What a store thread answers: the methods of the point and tag store contracts, in the bytes that gRPC would carry,
 * so that one process and a cluster speak the same.
 */
export const STORE_CALLS = {
  aggregate: call(AggregateRequest, AggregateReply),
  pointStatus: call(PartitionStatusRequest, PartitionStatusReply),
  pointStateHash: call(PointStateHashRequest, PointStateHashReply),
  match: call(MatchRequest, MatchReply),
  describeMetrics: call(DescribeMetricsRequest, DescribeMetricsReply),
  describeTags: call(DescribeTagsRequest, DescribeTagsReply),
  seriesTags: call(SeriesTagsRequest, SeriesTagsReply),
  pointPositions: call(PositionsRequest, PositionsReply),
  tagPositions: call(PositionsRequest, PositionsReply),
  tagStatus: call(TagPartitionStatusRequest, TagPartitionStatusReply),
  aggregatorStatus: call(AggregatorStatusRequest, AggregatorStatusReply),
  seriesCounts: call(SeriesCountsRequest, SeriesCountsReply),
} as const;

export type StoreMethod = keyof typeof STORE_CALLS;
export type RequestOf<M extends StoreMethod> = (typeof STORE_CALLS)[M] extends Call<infer R, infer _> ? R : never;
export type ReplyOf<M extends StoreMethod> = (typeof STORE_CALLS)[M] extends Call<infer _, infer R> ? R : never;

/** A method as bytes in, bytes out. */
export function answering<M extends StoreMethod>(
  method: M,
  answer: (request: RequestOf<M>, signal: AbortSignal) => ReplyOf<M> | Promise<ReplyOf<M>>,
): (request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array> {
  const { request, reply } = STORE_CALLS[method] as unknown as Call<RequestOf<M>, ReplyOf<M>>;
  return async (bytes, signal) => reply.encode(await answer(request.decode(bytes), signal)).finish();
}

/** The other side of `answering`: a method whose bytes go through `send`. */
export function calling<M extends StoreMethod>(
  method: M,
  send: (request: Uint8Array) => Promise<Uint8Array>,
): (request: RequestOf<M>) => Promise<ReplyOf<M>> {
  const { request, reply } = STORE_CALLS[method] as unknown as Call<RequestOf<M>, ReplyOf<M>>;
  return async (message) => reply.decode(await send(request.encode(message).finish()));
}
