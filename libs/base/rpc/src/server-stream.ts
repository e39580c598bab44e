import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ClientReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { TidemarkError } from '@tidemark/ports';
import { cancelSignal } from './cancel-signal.ts';
import { checkRequestSize } from './request-size.ts';
import { fromGrpcError, toGrpcError } from './status-error.ts';

/** Sends one message of a stream; resolves when the caller has room for another one. */
export type SendMessage<Reply> = (message: Reply) => Promise<void>;

/**
 * Answers a call with the messages that `handle` sends, and ends it with the result or error of `handle`: without the
 * messages that the caller has not read, after an error. The signal aborts when the caller cancels.
 */
export async function serveStream<Request, Reply>(
  call: ServerWritableStream<Request, Reply>,
  handle: (request: Request, send: SendMessage<Reply>, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = cancelSignal(call);
  try {
    checkRequestSize(call.request);
    await handle(call.request, (message) => sendMessage(call, message), signal);
    call.end();
  } catch (error) {
    const isUnread = call.writableLength > 0;
    // grpc-js sends the status of an error that the stream emits, behind the messages.
    call.emit('error', toGrpcError(error));
    // A caller that does not read would keep them in memory as long as it is connected. It gets `RESOURCE_EXHAUSTED`.
    if (isUnread) http2StreamOf(call)?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/** What grpc-js has within a call. It has no public way to end one without its messages. */
interface InnerCall {
  readonly nextCall?: InnerCall;
  readonly stream?: ServerHttp2Stream;
}

function http2StreamOf(call: object): ServerHttp2Stream | undefined {
  let inner = (call as { readonly call?: InnerCall }).call;
  while (inner?.nextCall !== undefined) inner = inner.nextCall;
  return inner?.stream;
}

/** Also resolves when the caller has gone: its signal ends the work. */
function sendMessage<Reply>(call: ServerWritableStream<unknown, Reply>, message: Reply): Promise<void> {
  if (call.cancelled || call.destroyed || call.write(message)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ENDS) call.off(event, done);
      resolve();
    };
    for (const event of ENDS) call.on(event, done);
  });
}

const ENDS = ['drain', 'cancelled', 'close'] as const;

/** Reads all messages of a stream; throws a TidemarkError when it ends with an error. An abort of `signal` cancels it. */
export async function callStream<Reply>(
  start: () => ClientReadableStream<Reply>,
  signal?: AbortSignal,
): Promise<Reply[]> {
  if (signal?.aborted) throw new TidemarkError('cancelled', 'the call was cancelled before it started');
  const call = start();
  const cancel = (): void => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const messages: Reply[] = [];
  try {
    for await (const message of call) messages.push(message as Reply);
    return messages;
  } catch (error) {
    throw fromGrpcError(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
