import { holdProcess, LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { readOptions, refuse } from './check-options.ts';
import { Client } from './client.ts';
import { type GrpcConnectorOptions, GrpcIntakeConnector } from './grpc-connector.ts';
import type { ClientOptions } from './options.ts';

/** Options of `connect`: those of the client, and those of its gRPC streams. */
export interface ConnectOptions extends Partial<ClientOptions>, GrpcConnectorOptions {
  /** Name that `tidemark status` shows; 1 to 200 bytes. */
  readonly name: string;
  /** `host:port` of an intake, or several to try in turn. */
  readonly address: string | readonly string[];
  /** Folder where unsettled batches survive restarts; one process at a time. Without it they are in memory alone. */
  readonly spoolFolder?: string;
}

/**
 * Starts a client that sends over gRPC. It does not wait for an intake: values gather until one answers. With a
 * `spoolFolder` it also sends what earlier runs left there. Errors: `invalid_argument` (an option),
 * `failed_precondition` (another process uses the folder, or its format is newer), and the disk's.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const given = readOptions(options);
  const { address, spoolFolder, key, credentials, maxMessageBytes, flowControlBytes, keepaliveMs, ...rest } = given;
  if (spoolFolder !== undefined && !isFolder(spoolFolder)) {
    throw refuse('spoolFolder', 'a path, without NUL', spoolFolder);
  }
  return Client.open(
    {
      connector: new GrpcIntakeConnector({ key, credentials, maxMessageBytes, flowControlBytes, keepaliveMs }),
      addresses: typeof address === 'string' ? [address] : address,
      clock: new SystemClock(),
      random: new SystemRandom(),
      hold: holdProcess,
      disk: spoolFolder === undefined ? undefined : new LocalDisk(spoolFolder),
    },
    rest,
  );
}

function isFolder(path: unknown): boolean {
  return typeof path === 'string' && path !== '' && !path.includes('\0');
}
