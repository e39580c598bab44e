import type { ChannelCredentials } from '@grpc/grpc-js';
import { PointStoreClient, type PositionsReply, type PositionsRequest, TagStoreClient } from '@tidemark/contract';
import { type PeerOptions, peerCaller, peerChannel, type UnaryMethod } from '@tidemark/rpc';
import type { PointStateHasher, PointStoreReader, PositionsReader, SeriesCounter, TagStoreReader } from './stores.ts';

/** How a store in another process is called. */
export type GrpcStoreOptions = PeerOptions;

/** A point store in another process. Close it when done. */
export function grpcPointStore(
  address: string,
  credentials: ChannelCredentials,
  options: GrpcStoreOptions,
): PointStoreReader & PositionsReader & PointStateHasher & { close(): void } {
  const client = new PointStoreClient(address, credentials, peerChannel(options));
  return {
    aggregate: peerCaller(client.aggregate.bind(client), options),
    status: peerCaller(client.partitionStatus.bind(client), options),
    stateHash: peerCaller(client.pointStateHash.bind(client), options),
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
  const client = new TagStoreClient(address, credentials, peerChannel(options));
  return {
    match: peerCaller(client.match.bind(client), options),
    describeMetrics: peerCaller(client.describeMetrics.bind(client), options),
    describeTags: peerCaller(client.describeTags.bind(client), options),
    seriesTags: peerCaller(client.seriesTags.bind(client), options),
    status: peerCaller(client.tagPartitionStatus.bind(client), options),
    seriesCounts: peerCaller(client.seriesCounts.bind(client), options),
    positions: positions(client.tagPositions.bind(client), options),
    close: () => client.close(),
  };
}

function positions(
  method: UnaryMethod<PositionsRequest, PositionsReply>,
  options: GrpcStoreOptions,
): (signal?: AbortSignal) => Promise<PositionsReply> {
  const call = peerCaller(method, options);
  return (signal) => call({}, signal);
}
