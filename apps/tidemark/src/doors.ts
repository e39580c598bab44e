import { readFile } from 'node:fs/promises';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { channelCredentials } from '@tidemark/server';
import { settingsOfFile } from './file-settings.ts';

/** Where a command finds the platform, and who it is there. */
export interface RemoteOptions {
  /** Of the one process. */
  readonly address: string;
  /** File that names the doors of a cluster; then `address` is not looked at. */
  readonly settings?: string;
  readonly key?: string;
}

/** Where each part of a platform answers over gRPC; in one process all are the same. */
export interface Doors {
  readonly query: string;
  readonly control: string;
  readonly intakes: readonly string[];
  readonly credentials: ChannelCredentials;
}

/** The doors that `--settings` names: of the cluster, or of the one process that was started with them. */
export async function doorsOf({ address, settings: file }: RemoteOptions): Promise<Doors> {
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
