import { type Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { type Access, bearerKey, isLoopbackAddress } from '@tidemark/access';
import type { IntakeServer, SendReply, SendRequest } from '@tidemark/contract';
import type { Slicing } from '@tidemark/ports';
import { type GrpcError, grpcError, serveUnary, toGrpcError } from '@tidemark/rpc';
import { changeOfMessage } from '@tidemark/store-rpc';
import type { ClientStream } from './client-stream.ts';
import type { IntakeSession } from './intake-session.ts';
import { openStream } from './open-streams.ts';
import type { RequestIntake } from './request-intake.ts';
import { decodedRequest } from './undecoded-requests.ts';

export interface IntakeServiceOptions {
  /** Returns the session that accepts points now. It changes when one is fenced and another starts. */
  readonly session: () => IntakeSession | undefined;
  readonly access: Pick<Access, 'tenantOf'>;
  /** Publishes what users state of metrics. */
  readonly requests: Pick<RequestIntake, 'state'>;
  /** Opens a stream of a session. Default: `openStream`. */
  readonly openStream?: (...given: Parameters<typeof openStream>) => OpenStream;
  /** Other work has its turn with it while a large message is checked. */
  readonly yieldTurn?: () => Promise<void>;
  /** The same, while a large message is decoded that `undecodedRequests` has left. */
  readonly slicing?: Slicing;
  /** Max replies in one stream that the client has not read. Above it, the stream is not read. */
  readonly waitingReplies?: number;
}

/** Part of a stream that the service uses. */
type OpenStream = Pick<ClientStream, 'receive' | 'close'>;

type SendCall = ServerDuplexStream<SendRequest, SendReply>;

const DEFAULT_WAITING_REPLIES = 1024;

/** The gRPC intake. It handles one message of a stream at a time, and stops reading while queues are full. */
export function intakeService(options: IntakeServiceOptions): IntakeServer {
  return {
    send(call: SendCall) {
      void serve(call, options);
    },
    stateMetric: (call, callback) =>
      void serveUnary(call, callback, async ({ metric, change }) => {
        const tenant = options.access.tenantOf(keyOf(call.metadata), 'send', isLoopbackAddress(call.getPeer()));
        await options.requests.state(tenant, metric, changeOfMessage(change));
        return {};
      }),
  };
}

async function serve(call: SendCall, options: IntakeServiceOptions): Promise<void> {
  const session = options.session();
  let stream: OpenStream | undefined;
  let tenant: string | undefined;
  let isAccepting = true;
  try {
    tenant = options.access.tenantOf(keyOf(call.metadata), 'send', isLoopbackAddress(call.getPeer()));
    if (session === undefined) {
      fail(call, grpcError(status.UNAVAILABLE, 'the intake is not ready'));
      return;
    }
    let isOpen = true;
    call.once('close', () => {
      isOpen = false;
    });
    const open = options.openStream ?? openStream;
    stream = open(
      session,
      tenant,
      (reply) => {
        if (isOpen && !call.writableEnded && !call.destroyed) call.write(reply);
      },
      options.yieldTurn,
    );
    // Leaving the loop must not destroy the call, whose status must still be sent.
    for await (const request of call.iterator({ destroyOnReturn: false }) as AsyncIterable<SendRequest>) {
      await stream.receive(await decodedRequest(request, options.slicing));
      await session.ready();
      await drained(call, options.waitingReplies ?? DEFAULT_WAITING_REPLIES);
      // A session that accepts nothing now ends its clients' streams: another intake may accept their points.
      isAccepting = options.session() === session && session.isAccepting;
      if (!isAccepting) break;
    }
    // This is after the loop: an error inside it makes its iterator destroy the call before the status is sent.
    if (isAccepting) call.end();
    else fail(call, grpcError(status.UNAVAILABLE, session.problem ?? 'the intake session ended'));
  } catch (error) {
    session?.violations.countError(tenant, error);
    if (!call.destroyed) fail(call, toGrpcError(error));
  } finally {
    stream?.close();
  }
}

/** Ends a call with a status. A destroyed call would send none, and its client would wait forever. */
function fail(call: SendCall, error: GrpcError): void {
  call.emit('error', error);
}

/** Waits while the client has not read more than `limit` replies. */
function drained(call: SendCall, limit: number): Promise<void> {
  if (call.writableLength <= limit || call.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    call.once('drain', resolve);
    call.once('close', resolve);
  });
}

function keyOf(metadata: Metadata): string | undefined {
  const [header] = metadata.get('authorization');
  return bearerKey(header?.toString());
}
