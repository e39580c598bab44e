import { addressProblem } from '@tidemark/model/grpc-address';
import { printable } from '@tidemark/model/safe-text';
import { holdProcess, LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { TidemarkError } from '@tidemark/ports';
import { readOptions, refuse } from './check-options.ts';
import { Client } from './client.ts';
import { type GrpcConnectorOptions, GrpcIntakeConnector } from './grpc-connector.ts';
import { type ClientOptions, DEFAULT_CLIENT_OPTIONS } from './options.ts';

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
  checkNames(given);
  const { address, spoolFolder, key, credentials, maxMessageBytes, flowControlBytes, keepaliveMs, ...rest } = given;
  if (spoolFolder !== undefined && !isFolder(spoolFolder)) {
    throw refuse('spoolFolder', 'a path, without NUL', spoolFolder);
  }
  checkTargets(address);
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

/** Every option: a name that is misspelt would otherwise have no effect. */
const OPTION_NAMES: ReadonlySet<string> = new Set([
  ...['name', 'address', 'spoolFolder', 'key', 'credentials', 'maxMessageBytes', 'flowControlBytes', 'keepaliveMs'],
  ...['flushIntervalMs', 'handFlushIntervalMs', 'refusals', 'sources', 'onRejection', 'onWarning'],
  ...Object.keys(DEFAULT_CLIENT_OPTIONS),
]);

function checkNames(given: object): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || OPTION_NAMES.has(name)) continue;
    const shown = printable(name.slice(0, SHOWN_CHARACTERS));
    const limit = 'an option of docs/reference/client.md';
    const message = `client option ${shown} is unknown (limit: ${limit})`;
    throw new TidemarkError('invalid_argument', message, { field: shown, limit });
  }
}

const SHOWN_CHARACTERS = 40;

/** Checks the form of addresses; types and emptiness are checked with the other options. */
function checkTargets(address: unknown): void {
  const all: readonly unknown[] = Array.isArray(address) ? address : [address];
  for (const one of all) {
    if (typeof one !== 'string' || one.trim() === '') continue;
    const problem = addressProblem(one);
    if (problem !== undefined)
      throw refuse('address', `host:port, of an intake (${printable(problem)})`, printable(one));
  }
}
