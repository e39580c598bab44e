import type { SendReply, SendRequest } from '@tidemark/contract';
import type { TidemarkError } from '@tidemark/ports';

/** Callbacks of a stream. Neither is called before `connect` has returned, nor after `close`. */
export interface IntakeStreamHandlers {
  onReply(reply: SendReply): void;
  /** The stream has ended, by either side or by a failure; called at most once, as the last callback. */
  onEnd(error?: TidemarkError): void;
}

/** One open stream `tidemark.v1.Intake/Send`. Messages arrive in the order sent, or the stream ends. */
export interface IntakeStream {
  /**
   * Queues one message. False asks the sender to wait for `ready`; the message is queued in either case. Sending on an
   * ended stream does nothing.
   */
  send(request: SendRequest): boolean;
  /** Resolves once more may be sent, or when the stream has ended. */
  ready(): Promise<void>;
  /** Ends the stream; `onEnd` is not called for it. Idempotent. */
  close(): void;
}

/** The way to an intake: gRPC in production, a direct call in the simulator. */
export interface IntakeConnector {
  /** Opens a stream to `address`; a failure to connect comes as `onEnd`. */
  connect(address: string, handlers: IntakeStreamHandlers): IntakeStream;
}
