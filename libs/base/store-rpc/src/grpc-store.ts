import { type ChannelCredentials, Client } from '@grpc/grpc-js';
import type { PositionsReply } from '@tidemark/contract';
import { assert, type Slicing } from '@tidemark/ports';
import { type PeerOptions, peerCaller, peerChannel } from '@tidemark/rpc';
import { callInSlices } from './sliced-call.ts';
import {
  definitionOf,
  type PartitionMethod,
  partitionReader,
  type StoreKind,
  type StoreReader,
  type UntypedMethod,
} from './store-methods.ts';
import { asBuffer } from './store-service.ts';
import type {
  AggregatorReader,
  PointStateHasher,
  PointStoreReader,
  PositionsReader,
  SeriesCounter,
  TagStoreReader,
} from './stores.ts';

/** Options of calls to a store in another process. */
export interface GrpcStoreOptions extends PeerOptions {
  /** How the encoding of long requests and the decoding of long replies yield to other work of the thread. */
  readonly slicing?: Slicing;
}

/** A client of a point store in another process. The caller closes it. */
export function grpcPointStore(
  address: string,
  credentials: ChannelCredentials,
  options: GrpcStoreOptions,
): PointStoreReader & PositionsReader & PointStateHasher & { close(): void } {
  return grpcProcess('points', new Client(address, credentials, peerChannel(options)), options);
}

/** A client of a tag store in another process. The caller closes it. */
export function grpcTagStore(
  address: string,
  credentials: ChannelCredentials,
  options: GrpcStoreOptions,
): TagStoreReader & PositionsReader & SeriesCounter & { close(): void } {
  return grpcProcess('tags', new Client(address, credentials, peerChannel(options)), options);
}

/** A client of an aggregator in another process. The caller closes it. */
export function grpcAggregator(
  address: string,
  credentials: ChannelCredentials,
  options: GrpcStoreOptions,
): AggregatorReader & { close(): void } {
  const client = new Client(address, credentials, peerChannel(options));
  return { ...partitionMethods('aggregator', client, options), close: () => client.close() };
}

function grpcProcess<K extends 'points' | 'tags'>(
  kind: K,
  client: Client,
  options: GrpcStoreOptions,
): StoreReader<K, PartitionMethod<K>> & PositionsReader & { close(): void } {
  const askPositions = caller(kind, 'positions', client, options);
  const positions = (signal?: AbortSignal) => askPositions({}, signal) as Promise<PositionsReply>;
  return { ...partitionMethods(kind, client, options), positions, close: () => client.close() };
}

function partitionMethods<K extends StoreKind>(
  kind: K,
  client: Client,
  options: GrpcStoreOptions,
): StoreReader<K, PartitionMethod<K>> {
  return partitionReader(kind, (method) => caller(kind, method, client, options));
}

function caller(kind: StoreKind, method: string, client: Client, options: GrpcStoreOptions): UntypedMethod {
  const definition = definitionOf(kind, method);
  const { path } = definition;
  const send = peerCaller<Buffer, Buffer | undefined>(
    (bytes, metadata, callOptions, callback) =>
      client.makeUnaryRequest(path, asBuffer, asBuffer, bytes, metadata, callOptions, callback),
    options,
  );
  return (request, signal) =>
    callInSlices(definition, request, options.slicing, signal, async (bytes) => {
      const reply = await send(bytes, signal);
      assert(reply !== undefined, 'a call without an error has a reply');
      return reply;
    });
}
