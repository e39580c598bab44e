import { type ChannelCredentials, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { IntakeClient } from '@tidemark/contract';
import { ERROR_CODES, type ErrorCode, TidemarkError } from '@tidemark/ports';
import type { IntakeConnector, IntakeStream, IntakeStreamHandlers } from './intake-connector.ts';

export interface GrpcConnectorOptions {
  /** Sent as metadata `authorization: Bearer KEY`; needs scope `send`. Not needed on loopback. */
  readonly key?: string;
  /** TLS settings; plain text by default. */
  readonly credentials?: ChannelCredentials;
  /** Largest message either way, bytes; default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** HTTP/2 flow-control window, bytes; default 16 MiB: the library's own holds a fast link to a third of its rate. */
  readonly flowControlBytes?: number;
  /** Idle time after which the peer is probed, ms; default 20 s. */
  readonly keepaliveMs?: number;
}

const MIB = 1024 * 1024;

/** Intake streams over gRPC. Each stream has a channel of its own, so that replays don't share its window. */
export class GrpcIntakeConnector implements IntakeConnector {
  readonly #options: GrpcConnectorOptions;

  constructor(options: GrpcConnectorOptions = {}) {
    this.#options = options;
  }

  connect(address: string, handlers: IntakeStreamHandlers): IntakeStream {
    const { key, maxMessageBytes = 16 * MIB, flowControlBytes = 16 * MIB, keepaliveMs = 20_000 } = this.#options;
    const client = new IntakeClient(address, this.#options.credentials ?? credentials.createInsecure(), {
      'grpc.max_send_message_length': maxMessageBytes,
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc-node.flow_control_window': flowControlBytes,
      'grpc.keepalive_time_ms': keepaliveMs,
      'grpc.use_local_subchannel_pool': 1,
      // Waiting and trying again is the client's own task.
      'grpc.enable_retries': 0,
    });
    const metadata = new Metadata();
    if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
    const call = client.send(metadata);
    let open = true;
    let wake: (() => void) | undefined;
    const end = (error?: TidemarkError): void => {
      if (!open) return;
      open = false;
      wake?.();
      client.close();
      handlers.onEnd(error);
    };
    call.on('data', (reply) => {
      if (open) handlers.onReply(reply);
    });
    call.on('error', (error: ServiceError) => end(errorOf(error, address)));
    call.on('end', () => end());
    return {
      send: (request) => (open ? call.write(request) : false),
      ready: () => {
        if (!open || !call.writableNeedDrain) return Promise.resolve();
        return new Promise<void>((resolve) => {
          wake = resolve;
          call.once('drain', resolve);
        });
      },
      close: () => {
        if (!open) return;
        open = false;
        wake?.();
        call.end();
        call.cancel();
        client.close();
      },
    };
  }
}

const CODE_OF_STATUS: ReadonlyMap<number, ErrorCode> = new Map(
  ERROR_CODES.map((code) => [status[code.toUpperCase() as keyof typeof status], code]),
);

function errorOf(error: ServiceError, address: string): TidemarkError {
  const code = CODE_OF_STATUS.get(error.code) ?? 'unavailable';
  return new TidemarkError(code, `intake ${address}: ${error.details || error.message}`, { address }, { cause: error });
}
