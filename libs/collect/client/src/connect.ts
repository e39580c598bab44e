import { holdProcess, LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { Client } from './client.ts';
import { type GrpcConnectorOptions, GrpcIntakeConnector } from './grpc-connector.ts';
import type { ClientOptions } from './options.ts';

export interface ConnectOptions extends Partial<ClientOptions>, GrpcConnectorOptions {
  readonly name: string;
  /** `host:port` of an intake, or several to try in turn. */
  readonly address: string | readonly string[];
  /** A folder where unsettled batches survive restarts; one process at a time. Without it they are in memory alone. */
  readonly spoolFolder?: string;
}

/** A client over gRPC with the system's clock, random numbers and disk. Errors: as `Client.open`. */
export function connect(options: ConnectOptions): Promise<Client> {
  const { address, spoolFolder, key, credentials, maxMessageBytes, flowControlBytes, keepaliveMs, ...rest } = options;
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
