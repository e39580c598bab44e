import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** PEM contents; undefined for files that the settings do not name. */
export interface TlsFiles {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Authorities whose certificates are accepted. */
  readonly ca?: Buffer;
}

/** Creates credentials with TLS when there is a certificate. Clients need no certificate: they authenticate by keys. */
export function serverCredentials({ cert, key }: TlsFiles): ServerCredentials {
  if (cert === undefined || key === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }], false);
}

/** Creates credentials with TLS when there are authorities; the certificate is sent to servers that request it. */
export function channelCredentials({ cert, key, ca }: TlsFiles): ChannelCredentials {
  if (ca === undefined) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(ca, key ?? null, cert ?? null);
}
