import type { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { isLoopbackAddress } from '@tidemark/access';
import { limitError, TidemarkError } from '@tidemark/ports';
import { channelCredentials, serverCredentials, type TlsFiles } from '@tidemark/server';
import { namedFile, requireBoth } from './named-file.ts';
import type { ServiceContext } from './service-context.ts';

/** Credentials by which the processes of a cluster authenticate each other. */
export interface PeerSecurity {
  readonly server: ServerCredentials;
  readonly channel: ChannelCredentials;
  /** The cluster's key; undefined when there is none, and only loopback is trusted. */
  readonly key: string | undefined;
}

const MIN_KEY_LENGTH = 16;

/**
 * Reads the files that the settings name. Errors: `not_found` (a file can't be read), `invalid_argument` (a certificate
 * without its key, or a key of the cluster that is too short).
 */
export async function peerSecurity(context: Pick<ServiceContext, 'settings' | 'readFile'>): Promise<PeerSecurity> {
  const { tls, cluster } = context.settings;
  const read = (setting: string, path: string) => namedFile(context, setting, path);
  const files: TlsFiles = {
    cert: await read('tls.certFile', tls.certFile),
    key: await read('tls.keyFile', tls.keyFile),
    ca: await read('tls.caFile', tls.caFile),
  };
  requireBoth('tls', files.cert, files.key);
  const key = (await read('cluster.keyFile', cluster.keyFile))?.toString('utf8').trim();
  if (key !== undefined && key.length < MIN_KEY_LENGTH) {
    throw limitError('cluster.keyFile', `a key of ${key.length} characters`, `at least ${MIN_KEY_LENGTH}`);
  }
  return { server: serverCredentials(files), channel: channelCredentials(files), key };
}

/** Throws when a service that trusts its callers would listen beyond loopback without a key. */
export function requireKeyBeyondLoopback(host: string, key: string | undefined): void {
  if (key !== undefined || host === 'localhost' || isLoopbackAddress(host)) return;
  throw new TidemarkError(
    'failed_precondition',
    `cluster.keyFile is empty, so the process can listen only on loopback, not on ${host}`,
    {
      setting: 'cluster.keyFile',
    },
  );
}
