import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { type Access, bearerKey, isLoopbackAddress, isOperator } from '@tidemark/access';
import type { QueryRequest, QueryServer } from '@tidemark/contract';
import type { Clock } from '@tidemark/ports';
import { serveStream, serveUnary } from '@tidemark/rpc';
import { sendAnswer } from './query-messages.ts';
import type { AskedQuery, QueryReader } from './query-reader.ts';
import { tenantReader } from './tenant-reader.ts';

type Call = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

function askedQuery({ variables, variableLists, ...request }: QueryRequest): AskedQuery {
  const lists = Object.entries(variableLists?.lists ?? {}).map(([name, list]) => [name, list.values] as const);
  return { ...request, variables: { ...variables, ...Object.fromEntries(lists) } };
}

/** Serves queries over gRPC. The tenant follows from the key in `authorization`, or is the default one on loopback. */
export function queryService(
  reader: QueryReader,
  access: Pick<Access, 'tenantOf'>,
  clock: Pick<Clock, 'setTimer'>,
): QueryServer {
  const forTenants = tenantReader(reader);
  const keyOf = (call: Call): string | undefined => {
    const [header] = call.metadata.get('authorization');
    return bearerKey(header?.toString());
  };
  const tenantOf = (call: Call): string => access.tenantOf(keyOf(call), 'read', isLoopbackAddress(call.getPeer()));
  const readerFor = (call: Call): QueryReader =>
    isOperator(access, keyOf(call), isLoopbackAddress(call.getPeer())) ? reader : forTenants;
  return {
    run: (call) =>
      void serveStream(
        call,
        async (request, send, signal) =>
          readerFor(call).run(
            tenantOf(call),
            askedQuery(request),
            (answer, slice) => sendAnswer(answer, send, slice),
            signal,
          ),
        clock,
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
