import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type Access, bearerKey, isLoopbackAddress } from '@tidemark/access';
import type { QueryRequest, QueryServer } from '@tidemark/contract';
import { serveUnary } from '@tidemark/rpc';
import { type AskedQuery, asAnswered, type QueryReader } from './query-reader.ts';

function askedQuery({ variables, variableLists, ...request }: QueryRequest): AskedQuery {
  const lists = Object.entries(variableLists?.lists ?? {}).map(([name, list]) => [name, list.values] as const);
  return { ...request, variables: { ...variables, ...Object.fromEntries(lists) } };
}

/** Serves queries over gRPC. The tenant follows from the key in `authorization`, or is the default one on loopback. */
export function queryService(reader: QueryReader, access: Pick<Access, 'tenantOf'>): QueryServer {
  const tenantOf = (call: ServerUnaryCall<unknown, unknown>): string => {
    const [header] = call.metadata.get('authorization');
    return access.tenantOf(bearerKey(header?.toString()), 'read', isLoopbackAddress(call.getPeer()));
  };
  return {
    run: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        reader.run(tenantOf(call), askedQuery(request), asAnswered, signal),
      ),
    metrics: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => reader.metrics(tenantOf(call), request, signal)),
    metric: (call, callback) =>
      void serveUnary(call, callback, async ({ metric }, signal) => reader.metric(tenantOf(call), metric, signal)),
    tags: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => reader.tags(tenantOf(call), request, signal)),
    status: (call, callback) =>
      void serveUnary(call, callback, async (_, signal) => reader.status(tenantOf(call), signal)),
  };
}
