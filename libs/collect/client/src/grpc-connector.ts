import { ChannelCredentials, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { IntakeClient } from '@tidemark/contract';
import { ERROR_CODES, type ErrorCode, TidemarkError } from '@tidemark/ports';
import { refuse } from './check-options.ts';
import type { IntakeConnector, IntakeStream, IntakeStreamHandlers } from './intake-connector.ts';

/** Options of the gRPC streams of a client. */
export interface GrpcConnectorOptions {
  /** API key with scope `send`, sent as metadata `authorization: Bearer KEY`. Not needed on loopback. */
  readonly key?: string;
  /** TLS settings, made by `credentials.createSsl` of `@grpc/grpc-js`. Default plain text. */
  readonly credentials?: ChannelCredentials;
  /** Largest message in either direction, bytes. Default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** HTTP/2 flow-control window, bytes. Default 16 MiB: gRPC's own limits a fast link to a third of its rate. */
  readonly flowControlBytes?: number;
  /** Idle time after which the peer is probed, ms. Default 20 s. */
  readonly keepaliveMs?: number;
}

const MIB = 1024 * 1024;

/** Intake streams over gRPC. Each stream has a channel of its own, so that replays don't share its window. */
export class GrpcIntakeConnector implements IntakeConnector {
  readonly #options: GrpcConnectorOptions;

  /** Errors: `invalid_argument` (an option). */
  constructor(options: GrpcConnectorOptions = {}) {
    checkGrpcOptions(options);
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
      // The client retries by itself.
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

/** gRPC checks these itself, but only when a stream opens, and by exceptions. */
function checkGrpcOptions(options: GrpcConnectorOptions): void {
  const { key, credentials: tls } = options;
  if (key !== undefined && !(typeof key === 'string' && /^[ -~]*$/.test(key))) {
    // The value is a secret.
    throw refuse('key', 'printable ASCII', typeof key === 'string' ? 'another text' : key);
  }
  if (tls !== undefined && !(tls instanceof ChannelCredentials)) {
    throw refuse('credentials', 'credentials of @grpc/grpc-js', tls);
  }
  for (const field of ['maxMessageBytes', 'flowControlBytes', 'keepaliveMs'] as const) {
    const value: unknown = options[field];
    if (value === undefined) continue;
    if (!Number.isFinite(value) || Number(value) < 1) throw refuse(field, 'a finite number, at least 1', value);
  }
}

const CODE_OF_STATUS: ReadonlyMap<number, ErrorCode> = new Map(
  ERROR_CODES.map((code) => [status[code.toUpperCase() as keyof typeof status], code]),
);

function errorOf(error: ServiceError, address: string): TidemarkError {
  const code = CODE_OF_STATUS.get(error.code) ?? 'unavailable';
  const text = error.details || error.message;
  // What gRPC says of a peer that answers in HTTP/1.
  const isForeign = /protocol error|parse error/i.test(text);
  const reason = isForeign ? 'it does not speak gRPC; give the gRPC port of the platform, 4271 by default' : text;
  return new TidemarkError(code, `intake ${address}: ${reason}`, { address }, { cause: error });
}
