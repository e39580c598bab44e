import type {
  MethodDefinition,
  Server,
  ServerUnaryCall,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { serveUnary } from '@tidemark/rpc';
import { definitionOf, methodsOf, type StoreKind } from './store-methods.ts';

/**
 * Answers a method of the stores of this process; request and reply are encoded messages. Failures are TidemarkErrors,
 * such as `not_found` or `unavailable` for a partition of another process.
 */
export type AnswerBytes = (method: string, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

/**
 * Adds the service of the stores of this process to a server. Messages stay bytes here: the worker that has the
 * partition decodes the request and encodes the reply, so that the thread that serves all callers does neither.
 */
export function addStoreService(server: Pick<Server, 'addService'>, kind: StoreKind, answer: AnswerBytes): void {
  const service: Record<string, MethodDefinition<Uint8Array, Uint8Array>> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const method of methodsOf(kind, 'anyReplica', 'oneReplica', 'process')) {
    service[method] = {
      ...{ path: definitionOf(kind, method).path, requestStream: false, responseStream: false },
      ...{ requestSerialize: asBuffer, requestDeserialize: asBuffer },
      ...{ responseSerialize: asBuffer, responseDeserialize: asBuffer },
    };
    handlers[method] = (call: ServerUnaryCall<Uint8Array, Uint8Array>, callback: sendUnaryData<Uint8Array>) =>
      void serveUnary(call, callback, (request, signal) => answer(method, request, signal));
  }
  server.addService(service, handlers);
}

/** The same bytes as a Buffer, as grpc-js needs them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
