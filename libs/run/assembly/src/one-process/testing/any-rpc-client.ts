import { Writable } from 'node:stream';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';

/** A method of any service, as a server registers it. */
export interface RpcDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: never) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

export interface RpcAnswer {
  /** `ok`, or the code of the error. */
  readonly code: string;
  /** The first reply as JSON, or the error with its metadata. */
  readonly text: string;
}

const TIMEOUT_MS = 10_000;

/** Calls methods by their definitions, of which it needs no generated client. Of a stream it waits for the first reply. */
export class AnyRpcClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  ask(definition: RpcDefinition, message: unknown, key: string | undefined): Promise<RpcAnswer> {
    const { path, requestStream, responseStream, responseDeserialize: read } = definition;
    const write = definition.requestSerialize as (message: unknown) => Buffer;
    const metadata = new Metadata();
    if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
    const options = { deadline: Date.now() + TIMEOUT_MS };
    return new Promise((resolve) => {
      const answered = (reply: unknown) => resolve({ code: 'ok', text: textOf(reply) });
      const failed = (error: ServiceError) => resolve({ code: codeOf(error), text: textOf(errorOf(error)) });
      if (!requestStream && !responseStream) {
        this.#client.makeUnaryRequest(path, write, read, message, metadata, options, (error, reply) =>
          error === null ? answered(reply) : failed(error),
        );
        return;
      }
      const stream = requestStream
        ? this.#client.makeBidiStreamRequest(path, write, read, metadata, options)
        : this.#client.makeServerStreamRequest(path, write, read, message, metadata, options);
      stream.once('data', (reply: unknown) => {
        answered(reply);
        stream.cancel();
      });
      stream.on('error', failed);
      if (stream instanceof Writable) stream.write(message);
    });
  }

  close(): void {
    this.#client.close();
  }
}

function codeOf({ code }: ServiceError): string {
  return status[code].toLowerCase();
}

function errorOf({ details, metadata }: ServiceError): unknown {
  return { details, metadata: metadata?.toJSON() };
}

/** JSON in which bytes are text, so that a name in them is found. */
function textOf(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, shown) {
    const own = this[key];
    return own instanceof Uint8Array ? Buffer.from(own).toString('latin1') : shown;
  });
}
