import { readFile } from 'node:fs/promises';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { channelCredentials } from '@tidemark/server';
import { settingsOfFile } from './file-settings.ts';

/** Where a command finds the platform, and the key that it uses. */
export interface RemoteOptions {
  /** Address of the single process. */
  readonly address: string;
  /** File that names the endpoints of a cluster. `address` is ignored when it is given. */
  readonly settings?: string;
  readonly key?: string;
}

/** gRPC addresses of the parts of a platform. In one process all are the same. */
export interface Endpoints {
  readonly query: string;
  readonly control: string;
  readonly intakes: readonly string[];
  readonly credentials: ChannelCredentials;
}

/** Returns the endpoints that `--settings` names: those of the cluster, or of the process started with that file. */
export async function endpointsOf({ address, settings: file }: RemoteOptions): Promise<Endpoints> {
  if (file === undefined) {
    return { query: address, control: address, intakes: [address], credentials: credentials.createInsecure() };
  }
  const { cluster, grpc, tls } = await settingsOfFile(file);
  const own = `127.0.0.1:${grpc.port}`;
  return {
    query: cluster.queries[0] ?? own,
    control: cluster.coordinator[0] ?? own,
    intakes: cluster.intakes.length === 0 ? [own] : cluster.intakes,
    credentials: channelCredentials(tls.caFile === '' ? {} : { ca: await readFile(tls.caFile) }),
  };
}
