import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { PointStoreServer, QueryServer, TagStoreServer } from '@tidemark/contract';
import { type Access, bearerKey, isLoopbackAddress } from '@tidemark/control-log';
import { serveUnary } from '@tidemark/rpc';
import type { QueryReader } from './query-reader.ts';
import type { PointStateHasher, PointStoreReader, PositionsReader, SeriesCounter, TagStoreReader } from './stores.ts';

/**
 * Serves the point stores of this process. `readerOf` throws `not_found` or `unavailable` for partitions of others;
 * `process` says how far all of them are.
 */
export function pointStoreService(
  readerOf: (partition: number) => PointStoreReader & PointStateHasher,
  process: PositionsReader,
): PointStoreServer {
  return {
    aggregate: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerOf(request.partition).aggregate(request, signal),
      ),
    partitionStatus: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => readerOf(request.partition).status(request, signal)),
    pointStateHash: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerOf(request.partition).stateHash(request, signal),
      ),
    pointPositions: (call, callback) => void serveUnary(call, callback, async (_, signal) => process.positions(signal)),
  };
}

/** Serves the tag stores of this process; `readerOf` and `process` as for point stores. */
export function tagStoreService(
  readerOf: (partition: number) => TagStoreReader & SeriesCounter,
  process: PositionsReader,
): TagStoreServer {
  return {
    match: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => readerOf(request.partition).match(request, signal)),
    describeMetrics: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerOf(request.partition).describeMetrics(request, signal),
      ),
    describeTags: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerOf(request.partition).describeTags(request, signal),
      ),
    seriesTags: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerOf(request.partition).seriesTags(request, signal),
      ),
    tagPartitionStatus: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => readerOf(request.partition).status(request, signal)),
    seriesCounts: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerOf(request.partition).seriesCounts(request, signal),
      ),
    tagPositions: (call, callback) => void serveUnary(call, callback, async (_, signal) => process.positions(signal)),
  };
}

/** Serves queries. The tenant follows from the key in `authorization`, or is the default one on loopback. */
export function queryService(reader: QueryReader, access: Pick<Access, 'tenantOf'>): QueryServer {
  const tenantOf = (call: ServerUnaryCall<unknown, unknown>): string => {
    const [header] = call.metadata.get('authorization');
    return access.tenantOf(bearerKey(header?.toString()), 'read', isLoopbackAddress(call.getPeer()));
  };
  return {
    run: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => reader.run(tenantOf(call), request, signal)),
    metrics: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => reader.metrics(tenantOf(call), request, signal)),
    tags: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => reader.tags(tenantOf(call), request, signal)),
    status: (call, callback) =>
      void serveUnary(call, callback, async (_, signal) => reader.status(tenantOf(call), signal)),
  };
}
