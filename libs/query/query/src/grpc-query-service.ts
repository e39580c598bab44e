import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type Access, bearerKey, isLoopbackAddress, isOperator } from '@tidemark/access';
import type { QueryRequest, QueryServer } from '@tidemark/contract';
import { serveUnary } from '@tidemark/rpc';
import { type AskedQuery, asAnswered, type QueryReader } from './query-reader.ts';
import { tenantReader } from './tenant-reader.ts';

function askedQuery({ variables, variableLists, ...request }: QueryRequest): AskedQuery {
  const lists = Object.entries(variableLists?.lists ?? {}).map(([name, list]) => [name, list.values] as const);
  return { ...request, variables: { ...variables, ...Object.fromEntries(lists) } };
}

/** Serves queries over gRPC. The tenant follows from the key in `authorization`, or is the default one on loopback. */
export function queryService(reader: QueryReader, access: Pick<Access, 'tenantOf'>): QueryServer {
  const forTenants = tenantReader(reader);
  const keyOf = (call: ServerUnaryCall<unknown, unknown>): string | undefined => {
    const [header] = call.metadata.get('authorization');
    return bearerKey(header?.toString());
  };
  const tenantOf = (call: ServerUnaryCall<unknown, unknown>): string =>
    access.tenantOf(keyOf(call), 'read', isLoopbackAddress(call.getPeer()));
  const readerFor = (call: ServerUnaryCall<unknown, unknown>): QueryReader =>
    isOperator(access, keyOf(call), isLoopbackAddress(call.getPeer())) ? reader : forTenants;
  return {
    run: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerFor(call).run(tenantOf(call), askedQuery(request), asAnswered, signal),
      ),
    metrics: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) =>
        readerFor(call).metrics(tenantOf(call), request, signal),
      ),
    metric: (call, callback) =>
      void serveUnary(call, callback, async ({ metric }, signal) =>
        readerFor(call).metric(tenantOf(call), metric, signal),
      ),
    tags: (call, callback) =>
      void serveUnary(call, callback, async (request, signal) => readerFor(call).tags(tenantOf(call), request, signal)),
    status: (call, callback) =>
      void serveUnary(call, callback, async (_, signal) => readerFor(call).status(tenantOf(call), signal)),
  };
}
