import { type CallOptions, type ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import {
  ControlClient,
  IntakeClient,
  QueryClient,
  type QueryReply,
  type QueryRequest,
  type StateMetricReply,
  type StateMetricRequest,
} from '@tidemark/contract';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { callUnary, runQuery, type UnaryMethod } from '@tidemark/rpc';
import { type Command, Option } from 'commander';
import { type Endpoints, endpointsOf, type RemoteOptions } from './endpoints.ts';
import { parseAddress } from './parse-address.ts';

const TIMEOUT_MS = 40_000;
const MESSAGE_BYTES = 64 * 1024 * 1024;

/** Adds `--address`, `--settings` and `--key`. */
export function withRemote(command: Command): Command {
  return command
    .addOption(
      new Option('--address <host:port>', 'gRPC address of the platform')
        .env('TIDEMARK_ADDRESS')
        .default('127.0.0.1:4271')
        .argParser(parseAddress),
    )
    .option('--settings <file>', 'settings file of a cluster, with the addresses of its processes')
    .addOption(new Option('--key <key>', 'API key; not needed from loopback by default').env('TIDEMARK_KEY'));
}

/** A connection to the query and control services of a platform, and to its intakes. */
export class Remote {
  readonly #endpoints: Endpoints;
  readonly #metadata = new Metadata();
  readonly query: QueryClient;
  readonly control: ControlClient;
  /** In the order in which they are tried. */
  readonly #intakes: readonly (readonly [address: string, client: IntakeClient])[];

  constructor(endpoints: Endpoints, key: string | undefined) {
    this.#endpoints = endpoints;
    if (key !== undefined) this.#metadata.set('authorization', `Bearer ${key}`);
    const channel = { 'grpc.max_receive_message_length': MESSAGE_BYTES };
    this.query = new QueryClient(endpoints.query, endpoints.credentials, channel);
    this.control = new ControlClient(endpoints.control, endpoints.credentials, channel);
    this.#intakes = endpoints.intakes.map((address) => [address, new IntakeClient(address, endpoints.credentials)]);
  }

  /** Calls a method of `query` or `control`. An error says what to do about it. */
  async call<Request, Reply>(
    client: QueryClient | ControlClient,
    method: UnaryMethod<Request, Reply>,
    request: Request,
  ): Promise<Reply> {
    const address = client === this.query ? this.#endpoints.query : this.#endpoints.control;
    return this.#call(address, (metadata, options, callback) =>
      method.call(client, request, metadata, options, callback),
    );
  }

  /** Runs a query. Errors are those of `call`. */
  async run(request: QueryRequest): Promise<QueryReply> {
    const options = { deadline: Date.now() + TIMEOUT_MS };
    return this.#advised(
      this.#endpoints.query,
      runQuery(() => this.query.run(request, this.#metadata, options)),
    );
  }

  /** States what a user says of a metric, at the first intake that accepts it. Errors are those of `call`. */
  async stateMetric(request: StateMetricRequest): Promise<void> {
    let last: unknown;
    for (const [address, client] of this.#intakes) {
      try {
        await this.#call<StateMetricReply>(address, (...rest) => client.stateMetric(request, ...rest));
        return;
      } catch (error) {
        if (!isTidemarkError(error) || error.code !== 'unavailable') throw error;
        last = error;
      }
    }
    throw (
      last ??
      new TidemarkError(
        'invalid_argument',
        'the settings name no intake: set cluster.intakes (one or more of host:port)',
        { field: 'cluster.intakes' },
      )
    );
  }

  async #call<Reply>(
    address: string,
    send: (
      metadata: Metadata,
      options: CallOptions,
      callback: (error: Error | null, reply: Reply) => void,
    ) => ClientUnaryCall,
  ): Promise<Reply> {
    const options = { deadline: Date.now() + TIMEOUT_MS };
    return this.#advised(
      address,
      callUnary<Reply>((callback) => send(this.#metadata, options, callback)),
    );
  }

  async #advised<Reply>(address: string, reply: Promise<Reply>): Promise<Reply> {
    try {
      return await reply;
    } catch (error) {
      throw isTidemarkError(error) ? withAdvice(error, address) : error;
    }
  }

  close(): void {
    this.query.close();
    this.control.close();
    for (const [, client] of this.#intakes) client.close();
  }
}

/** Runs `task` with a connection, and closes the connection afterwards. */
export async function withPlatform(options: RemoteOptions, task: (remote: Remote) => Promise<void>): Promise<void> {
  const remote = new Remote(await endpointsOf(options), options.key);
  try {
    await task(remote);
  } finally {
    remote.close();
  }
}

/** Describes an address that answers, but not with gRPC. */
function notGrpc(address: string): string {
  return `${address} does not speak gRPC: if this is the HTTP port, the CLI needs the gRPC port (4271 by default)`;
}

/** Adds what to do to an error about an unreachable platform or a wrong key. */
export function withAdvice(error: TidemarkError, address: string): TidemarkError {
  const { code, message, detail } = error;
  const said = (text: string): TidemarkError => new TidemarkError(code, text, detail, { cause: error });
  // The text of HTTP/2 for an answer of another protocol, such as that of an HTTP/1.1 server.
  if (code === 'unavailable' && /protocol error/i.test(message)) return said(notGrpc(address));
  if (code === 'unavailable' && /no connection established|ECONNREFUSED|name resolution/i.test(message)) {
    return said(`no platform answers at ${address}. Start one with npm start, or set another address with --address.`);
  }
  if (code === 'deadline_exceeded' && /^Deadline exceeded/.test(message)) {
    return said(
      `${address} did not answer within ${TIMEOUT_MS / 1000} s. Run ${TIDEMARK_COMMAND} doctor to find out why.`,
    );
  }
  if (code === 'unauthenticated') return said(`${message}\nSet a key with --key or TIDEMARK_KEY.`);
  if (code === 'permission_denied') return said(`${message}\nSet a key with this scope with --key or TIDEMARK_KEY.`);
  return error;
}
