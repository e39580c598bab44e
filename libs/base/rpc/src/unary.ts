import type { ClientUnaryCall, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { TidemarkError } from '@tidemark/ports';
import { cancelSignal } from './cancel-signal.ts';
import { checkRequestSize } from './request-size.ts';
import { fromGrpcError, toGrpcError } from './status-error.ts';

/** Answers a unary call with the result or error of `handle`. The signal aborts when the caller cancels. */
export async function serveUnary<Request, Reply>(
  call: ServerUnaryCall<Request, Reply>,
  callback: sendUnaryData<Reply>,
  handle: (request: Request, signal: AbortSignal) => Promise<Reply>,
): Promise<void> {
  const signal = cancelSignal(call);
  try {
    checkRequestSize(call.request);
    callback(null, await handle(call.request, signal));
  } catch (error) {
    callback(toGrpcError(error));
  }
}

/** Starts a unary call and settles with its reply or a TidemarkError; an abort of `signal` cancels it. */
export function callUnary<Reply>(
  start: (callback: (error: Error | null, reply: Reply) => void) => ClientUnaryCall,
  signal?: AbortSignal,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new TidemarkError('cancelled', 'the call was cancelled before it started'));
      return;
    }
    const call = start((error, reply) => {
      signal?.removeEventListener('abort', cancel);
      if (error === null) resolve(reply);
      else reject(fromGrpcError(error));
    });
    function cancel(): void {
      call.cancel();
    }
    signal?.addEventListener('abort', cancel, { once: true });
  });
}
