import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ClientReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { assert, type Clock, TidemarkError } from '@tidemark/ports';
import { cancelSignal } from './cancel-signal.ts';
import { checkRequestSize } from './request-size.ts';
import { fromGrpcError, toGrpcError } from './status-error.ts';

/** Sends one message of a stream; resolves when the caller has room for another one. */
export type SendMessage<Reply> = (message: Reply) => Promise<void>;

/** A caller that takes no message for so long after an error does not read, ms. */
const UNREAD_MS = 5000;

/**
 * Answers a call with the messages that `handle` sends, and ends it with the result or error of `handle`. The error comes
 * behind the messages. A caller that does not read them gets `RESOURCE_EXHAUSTED` without them. The signal aborts when the
 * caller cancels.
 */
export async function serveStream<Request, Reply>(
  call: ServerWritableStream<Request, Reply>,
  handle: (request: Request, send: SendMessage<Reply>, signal: AbortSignal) => Promise<void>,
  clock: Pick<Clock, 'setTimer'>,
): Promise<void> {
  const stream = http2StreamOf(call);
  const signal = cancelSignal(call);
  try {
    checkRequestSize(call.request);
    await handle(call.request, (message) => sendMessage(call, message), signal);
    call.end();
  } catch (error) {
    // grpc-js sends the status of an error that the stream emits, behind the messages.
    call.emit('error', toGrpcError(error));
    closeUnread(call, stream, clock);
  }
}

/** Ends a call whose caller takes no further message: they would stay in memory as long as it is connected. */
function closeUnread(
  call: ServerWritableStream<unknown, unknown>,
  stream: ServerHttp2Stream,
  clock: Pick<Clock, 'setTimer'>,
  unreadBefore = Number.POSITIVE_INFINITY,
): void {
  const unread = call.writableLength;
  if (unread === 0 || call.cancelled) return;
  if (unread < unreadBefore) clock.setTimer(UNREAD_MS, () => closeUnread(call, stream, clock, unread));
  else stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** What grpc-js has within a call. It has no public way to end one without its messages. */
interface InnerCall {
  readonly nextCall?: InnerCall;
  readonly stream?: ServerHttp2Stream;
}

function http2StreamOf(call: object): ServerHttp2Stream {
  let inner = (call as { readonly call?: InnerCall }).call;
  while (inner?.nextCall !== undefined) inner = inner.nextCall;
  const stream = inner?.stream;
  assert(
    typeof stream?.close === 'function',
    'a call of this version of grpc-js has no HTTP/2 stream where it is expected',
  );
  return stream;
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

/** Reads all messages of a stream. Errors are those of `readStream`. */
export async function callStream<Reply>(
  start: () => ClientReadableStream<Reply>,
  signal?: AbortSignal,
): Promise<Reply[]> {
  const messages: Reply[] = [];
  await readStream(start, (message) => void messages.push(message), signal);
  return messages;
}

/**
 * Calls `receive` with each message of a stream as it comes. Throws a TidemarkError when the stream ends with an error. An abort of
 * `signal` cancels it. So does an error of `receive`, which is thrown as it is.
 */
export async function readStream<Reply>(
  start: () => ClientReadableStream<Reply>,
  receive: (message: Reply) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted) throw new TidemarkError('cancelled', 'the call was cancelled before it started');
  const call = start();
  const cancel = (): void => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  let isReceiving = false;
  try {
    for await (const message of call) {
      isReceiving = true;
      receive(message as Reply);
      isReceiving = false;
    }
  } catch (error) {
    throw isReceiving ? error : fromGrpcError(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (isReceiving) {
      // grpc-js emits the status of a call that is cancelled as an error, and the loop no longer listens.
      call.on('error', () => undefined);
      call.cancel();
    }
  }
}
