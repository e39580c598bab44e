import type { IntakeConnector, IntakeStream, IntakeStreamHandlers } from '@tidemark/client';
import type { SendReply, SendRequest, Series } from '@tidemark/contract';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { NetworkEndpoint, StreamEnd } from '@tidemark/simulation';
import type { Ledger } from './ledger.ts';

export interface SimulatedConnectorOptions {
  readonly network: NetworkEndpoint;
  readonly client: string;
  readonly ledger: Ledger;
  readonly failed: (error: unknown) => void;
}

/** Connects a client to the intakes over the simulated network. The ledger records every batch. */
export class SimulatedConnector implements IntakeConnector {
  readonly #options: SimulatedConnectorOptions;

  constructor(options: SimulatedConnectorOptions) {
    this.#options = options;
  }

  connect(address: string, handlers: IntakeStreamHandlers): IntakeStream {
    return new SimulatedStream(this.#options, address, handlers);
  }
}

class SimulatedStream implements IntakeStream {
  readonly #options: SimulatedConnectorOptions;
  readonly #defined = new Map<string, Series[]>();
  #clientSession: Uint8Array = new Uint8Array();
  #end: StreamEnd | undefined;
  #waiting: SendRequest[] = [];
  #isOver = false;

  constructor(options: SimulatedConnectorOptions, address: string, handlers: IntakeStreamHandlers) {
    this.#options = options;
    options.network.connect(address, 'intake').then(
      (end) => this.#opened(end, handlers),
      (error: unknown) => {
        if (!this.#isOver)
          handlers.onEnd(isTidemarkError(error) ? error : new TidemarkError('internal', String(error)));
      },
    );
  }

  send(request: SendRequest): boolean {
    if (this.#isOver) return true;
    if (this.#end === undefined) this.#waiting.push(request);
    else this.#pass(this.#end, request);
    return true;
  }

  async ready(): Promise<void> {}

  close(): void {
    this.#isOver = true;
    this.#end?.close();
  }

  #opened(end: StreamEnd, handlers: IntakeStreamHandlers): void {
    if (this.#isOver) {
      end.close();
      return;
    }
    this.#end = end;
    end.onMessage((reply) => this.#isOver || handlers.onReply(reply as SendReply));
    end.onEnd((error) => {
      if (this.#isOver) return;
      this.#isOver = true;
      handlers.onEnd(error);
    });
    for (const request of this.#waiting.splice(0)) this.#pass(end, request);
  }

  #pass(end: StreamEnd, request: SendRequest): void {
    const { ledger, client, failed } = this.#options;
    const { message } = request;
    try {
      if (message?.$case === 'hello') this.#clientSession = message.value.clientSession;
      else if (message?.$case === 'definitions') {
        const key = `${message.value.mapEpoch}/${message.value.partition}`;
        this.#defined.set(key, [...(this.#defined.get(key) ?? []), ...message.value.series]);
      } else if (message?.$case === 'batch') ledger.sent(client, this.#clientSession, message.value, this.#defined);
    } catch (error) {
      failed(error);
    }
    end.send(request);
  }
}
