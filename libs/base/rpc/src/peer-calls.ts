import { type CallOptions, type ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import type { Clock } from '@tidemark/ports';
import { callUnary } from './unary.ts';

/** Options of calls to another process of the cluster. */
export interface PeerOptions {
  /** The system's clock: gRPC's deadlines are times of this clock. */
  readonly clock: Clock;
  /** Time limit of one call, ms. */
  readonly timeoutMs?: number;
  /** The key of the cluster, by which the peer recognizes a process of its cluster. */
  readonly key?: string;
  /** The largest message in either direction, bytes. */
  readonly messageBytes?: number;
}

/** Above the limit of the longest query, so that an error names the query's own limit. */
const DEFAULT_TIMEOUT_MS = 35_000;
const DEFAULT_MESSAGE_BYTES = 256 * 1024 * 1024;
/**
 * Longest pause between attempts to connect. A process that restarts, also under another address of the same name, is
 * reached within this time; by default gRPC would wait for up to two minutes.
 */
const RECONNECT_MS = 1000;
const FIRST_RECONNECT_MS = 100;
/** A silent connection (a host that is off, a cut cable) is closed after the sum of these two times. */
const KEEPALIVE_MS = 5000;
const KEEPALIVE_TIMEOUT_MS = 5000;

/** A unary method of a generated client, bound to it. */
export type UnaryMethod<Request, Reply> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: Error | null, reply: Reply) => void,
) => ClientUnaryCall;

/** Options of the channel to a peer. */
export function peerChannel({ messageBytes = DEFAULT_MESSAGE_BYTES }: Pick<PeerOptions, 'messageBytes'> = {}) {
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

/** A method of a peer as a function that ends with the reply or a TidemarkError; an abort cancels the call. */
export function peerCaller<Request, Reply>(
  method: UnaryMethod<Request, Reply>,
  { clock, key, timeoutMs = DEFAULT_TIMEOUT_MS }: PeerOptions,
): (request: Request, signal?: AbortSignal) => Promise<Reply> {
  const metadata = new Metadata();
  if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
  return (request, signal) =>
    callUnary<Reply>(
      (callback) => method(request, metadata, { deadline: clock.wallMs() + timeoutMs }, callback),
      signal,
    );
}
