import { Metadata } from '@grpc/grpc-js';
import { ControlClient, QueryClient } from '@tidemark/contract';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { callUnary, type UnaryMethod } from '@tidemark/rpc';
import { type Command, Option } from 'commander';
import { type Doors, doorsOf, type RemoteOptions } from './doors.ts';

const TIMEOUT_MS = 40_000;
const MESSAGE_BYTES = 64 * 1024 * 1024;

/** Adds `--address`, `--settings` and `--key`. */
export function withRemote(command: Command): Command {
  return command
    .addOption(
      new Option('--address <host:port>', "the platform's gRPC").env('TIDEMARK_ADDRESS').default('127.0.0.1:4271'),
    )
    .option('--settings <file>', 'settings of a cluster: they say where its parts are')
    .addOption(new Option('--key <key>', 'key to use; loopback needs none').env('TIDEMARK_KEY'));
}

/** A platform that answers over gRPC. */
export class Remote {
  readonly #doors: Doors;
  readonly #metadata = new Metadata();
  readonly query: QueryClient;
  readonly control: ControlClient;

  constructor(doors: Doors, key: string | undefined) {
    this.#doors = doors;
    if (key !== undefined) this.#metadata.set('authorization', `Bearer ${key}`);
    const channel = { 'grpc.max_receive_message_length': MESSAGE_BYTES };
    this.query = new QueryClient(doors.query, doors.credentials, channel);
    this.control = new ControlClient(doors.control, doors.credentials, channel);
  }

  /** Calls a method of `query` or `control`; failures say what to do about them. */
  async call<Request, Reply>(
    client: QueryClient | ControlClient,
    method: UnaryMethod<Request, Reply>,
    request: Request,
  ): Promise<Reply> {
    const options = { deadline: Date.now() + TIMEOUT_MS };
    try {
      return await callUnary<Reply>((callback) => method.call(client, request, this.#metadata, options, callback));
    } catch (error) {
      const address = client === this.query ? this.#doors.query : this.#doors.control;
      throw isTidemarkError(error) ? withAdvice(error, address) : error;
    }
  }

  close(): void {
    this.query.close();
    this.control.close();
  }
}

/** Runs `task` with a connection that is closed afterwards. */
export async function withPlatform(options: RemoteOptions, task: (remote: Remote) => Promise<void>): Promise<void> {
  const remote = new Remote(await doorsOf(options), options.key);
  try {
    await task(remote);
  } finally {
    remote.close();
  }
}

/** The same error, saying what to do when nobody answers or the key does not do. */
export function withAdvice(error: TidemarkError, address: string): TidemarkError {
  const { code, message, detail } = error;
  const said = (text: string): TidemarkError => new TidemarkError(code, text, detail, { cause: error });
  if (code === 'unavailable' && /no connection established|ECONNREFUSED|name resolution/i.test(message)) {
    return said(`no platform answers at ${address}. Start one with npm start, or name another with --address.`);
  }
  if (code === 'unauthenticated') return said(`${message}\nGive one with --key or TIDEMARK_KEY.`);
  if (code === 'permission_denied') return said(`${message}\nUse a key that may, with --key or TIDEMARK_KEY.`);
  return error;
}
