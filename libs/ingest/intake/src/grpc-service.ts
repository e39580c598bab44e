import { type Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { type Access, bearerKey, isLoopbackAddress } from '@tidemark/access';
import type { IntakeServer, SendReply, SendRequest } from '@tidemark/contract';
import { type GrpcError, grpcError, toGrpcError } from '@tidemark/rpc';
import type { ClientStream } from './client-stream.ts';
import type { IntakeSession } from './intake-session.ts';
import { openStream } from './open-streams.ts';

export interface IntakeServiceOptions {
  /** The session that takes points now; it changes when one is fenced and another starts. */
  readonly session: () => IntakeSession | undefined;
  readonly access: Pick<Access, 'tenantOf'>;
  /** Opens a stream of a session; `openStream` when left out. */
  readonly openStream?: (session: IntakeSession, tenant: string, reply: (reply: SendReply) => void) => OpenStream;
  /** Replies waiting in one stream for its client to read; beyond, the stream is not read. */
  readonly waitingReplies?: number;
}

/** What the service needs of a stream. */
type OpenStream = Pick<ClientStream, 'receive' | 'close'>;

type SendCall = ServerDuplexStream<SendRequest, SendReply>;

const DEFAULT_WAITING_REPLIES = 1024;

/** The gRPC intake: one message of a stream at a time, reading no further while queues are full. */
export function intakeService(options: IntakeServiceOptions): IntakeServer {
  return {
    send(call: SendCall) {
      void serve(call, options);
    },
  };
}

async function serve(call: SendCall, options: IntakeServiceOptions): Promise<void> {
  const session = options.session();
  let stream: OpenStream | undefined;
  let tenant: string | undefined;
  let isTaking = true;
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
    stream = open(session, tenant, (reply) => {
      if (isOpen && !call.writableEnded && !call.destroyed) call.write(reply);
    });
    // Leaving the loop must not destroy the call: its status has still to be sent.
    for await (const request of call.iterator({ destroyOnReturn: false }) as AsyncIterable<SendRequest>) {
      await stream.receive(request);
      await session.ready();
      await drained(call, options.waitingReplies ?? DEFAULT_WAITING_REPLIES);
      // A session that takes nothing now sends its clients away: another intake may take their points.
      isTaking = options.session() === session && session.isAccepting;
      if (!isTaking) break;
    }
    // Not within the loop: an error there makes its iterator destroy the call before the status is sent.
    if (isTaking) call.end();
    else fail(call, grpcError(status.UNAVAILABLE, session.problem ?? 'the intake session ended'));
  } catch (error) {
    session?.violations.countError(tenant, error);
    if (!call.destroyed) fail(call, toGrpcError(error));
  } finally {
    stream?.close();
  }
}

/** Ends a call with a status. A call that is destroyed instead sends none, and its client waits in vain. */
function fail(call: SendCall, error: GrpcError): void {
  call.emit('error', error);
}

/** Waits while more than `limit` replies are not yet read by the client. */
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
