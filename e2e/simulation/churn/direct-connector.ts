import type { IntakeConnector, IntakeStream, IntakeStreamHandlers } from '@tidemark/client';
import type { SendReply, SendRequest } from '@tidemark/contract';
import { type IntakeRunner, openStream } from '@tidemark/intake';
import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** Connects clients to an intake of the same process: one message at a time, as the gRPC service does. */
export class DirectConnector implements IntakeConnector {
  readonly #runner: IntakeRunner;
  readonly #clock: Clock;
  readonly #tenant: string;

  constructor(runner: IntakeRunner, clock: Clock, tenant: string) {
    this.#runner = runner;
    this.#clock = clock;
    this.#tenant = tenant;
  }

  connect(_address: string, handlers: IntakeStreamHandlers): IntakeStream {
    const { session } = this.#runner;
    const soon = (task: () => void) => void this.#clock.setTimer(0, task);
    let isOpen = true;
    const end = (error?: TidemarkError) => {
      if (!isOpen) return;
      isOpen = false;
      stream?.close();
      soon(() => handlers.onEnd(error));
    };
    const reply = (message: SendReply) => soon(() => isOpen && handlers.onReply(message));
    const stream = session === undefined ? undefined : openStream(session, this.#tenant, reply);
    if (stream === undefined) end(new TidemarkError('unavailable', 'no session'));
    let last = Promise.resolve();
    return {
      send: (request: SendRequest) => {
        last = last.then(async () => {
          if (!isOpen) return;
          try {
            await stream?.receive(request);
            if (this.#runner.session !== session || session?.isAccepting === false) end();
          } catch (error) {
            if (!isTidemarkError(error)) throw error;
            end(error);
          }
        });
        return true;
      },
      ready: async () => undefined,
      close: () => {
        isOpen = false;
        stream?.close();
      },
    };
  }
}
