import { type CallOptions, type ChannelCredentials, type ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { PointStoreClient, type PositionsReply, type PositionsRequest, TagStoreClient } from '@tidemark/contract';
import { callUnary } from '@tidemark/grpc-status';
import type { Clock } from '@tidemark/ports';
import type { PointStateHasher, PointStoreReader, PositionsReader, SeriesCounter, TagStoreReader } from './stores.ts';

export interface GrpcStoreOptions {
  /** The system's clock: gRPC's deadlines are points in its time. */
  readonly clock: Clock;
  /** How long one call may take, ms. */
  readonly timeoutMs?: number;
  /** By which the store knows another process of its cluster. */
  readonly key?: string;
  /** The largest message in either direction, bytes. */
  readonly messageBytes?: number;
}

/** Above the longest query, so that the query's own limit is the one that is named. */
const DEFAULT_TIMEOUT_MS = 35_000;
const DEFAULT_MESSAGE_BYTES = 256 * 1024 * 1024;
/**
 * A store that restarts, or comes back under another address of the same name, is found again within this time; by
 * default gRPC would wait for up to two minutes.
 */
const RECONNECT_MS = 1000;
const FIRST_RECONNECT_MS = 100;
/** A connection that has gone silent (a host that is off, a cut cable) is given up after these two together. */
const KEEPALIVE_MS = 5000;
const KEEPALIVE_TIMEOUT_MS = 5000;

type Callback<Reply> = (error: Error | null, reply: Reply) => void;
type UnaryMethod<Request, Reply> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: Callback<Reply>,
) => ClientUnaryCall;

/** A point store in another process. Close it when done. */
export function grpcPointStore(
  address: string,
  credentials: ChannelCredentials,
  options: GrpcStoreOptions,
): PointStoreReader & PositionsReader & PointStateHasher & { close(): void } {
  const client = new PointStoreClient(address, credentials, channelOptions(options));
  return {
    aggregate: caller(client.aggregate.bind(client), options),
    status: caller(client.partitionStatus.bind(client), options),
    stateHash: caller(client.pointStateHash.bind(client), options),
    positions: positions(client.pointPositions.bind(client), options),
    close: () => client.close(),
  };
}

/** A tag store in another process. Close it when done. */
export function grpcTagStore(
  address: string,
  credentials: ChannelCredentials,
  options: GrpcStoreOptions,
): TagStoreReader & PositionsReader & SeriesCounter & { close(): void } {
  const client = new TagStoreClient(address, credentials, channelOptions(options));
  return {
    match: caller(client.match.bind(client), options),
    describeMetrics: caller(client.describeMetrics.bind(client), options),
    describeTags: caller(client.describeTags.bind(client), options),
    seriesTags: caller(client.seriesTags.bind(client), options),
    status: caller(client.tagPartitionStatus.bind(client), options),
    seriesCounts: caller(client.seriesCounts.bind(client), options),
    positions: positions(client.tagPositions.bind(client), options),
    close: () => client.close(),
  };
}

function channelOptions({ messageBytes = DEFAULT_MESSAGE_BYTES }: GrpcStoreOptions) {
  return {
    'grpc.max_receive_message_length': messageBytes,
    'grpc.max_send_message_length': messageBytes,
    'grpc.initial_reconnect_backoff_ms': FIRST_RECONNECT_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
    'grpc.dns_min_time_between_resolutions_ms': RECONNECT_MS,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  };
}

function caller<Request, Reply>(
  method: UnaryMethod<Request, Reply>,
  { clock, key, timeoutMs = DEFAULT_TIMEOUT_MS }: GrpcStoreOptions,
): (request: Request, signal?: AbortSignal) => Promise<Reply> {
  const metadata = new Metadata();
  if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
  return (request, signal) =>
    callUnary<Reply>(
      (callback) => method(request, metadata, { deadline: clock.wallMs() + timeoutMs }, callback),
      signal,
    );
}

function positions(
  method: UnaryMethod<PositionsRequest, PositionsReply>,
  options: GrpcStoreOptions,
): (signal?: AbortSignal) => Promise<PositionsReply> {
  const call = caller(method, options);
  return (signal) => call({}, signal);
}
