import type { ChannelCredentials } from '@grpc/grpc-js';
import {
  AggregatorClient,
  type AggregatorServer,
  type AggregatorStatusReply,
  type AggregatorStatusRequest,
} from '@tidemark/contract';
import { type PeerOptions, peerCaller, peerChannel, serveUnary } from '@tidemark/rpc';

/** Reads one partition of an aggregator. Failures are TidemarkErrors; an abort may end a request early. */
export interface AggregatorReader {
  status(request: AggregatorStatusRequest, signal?: AbortSignal): Promise<AggregatorStatusReply>;
}

/** Serves the aggregator of this process. `readerOf` throws `not_found` or `unavailable` for partitions of others. */
export function aggregatorService(readerOf: (partition: number) => AggregatorReader): AggregatorServer {
  return {
    aggregatorStatus: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => readerOf(request.partition).status(request, signal)),
  };
}

/** An aggregator in another process. Close it when done. */
export function grpcAggregator(
  address: string,
  credentials: ChannelCredentials,
  options: PeerOptions,
): AggregatorReader & { close(): void } {
  const client = new AggregatorClient(address, credentials, peerChannel(options));
  return {
    status: peerCaller(client.aggregatorStatus.bind(client), options),
    close: () => client.close(),
  };
}
