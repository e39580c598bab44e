import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** PEM contents; what is undefined is not there. */
export interface TlsFiles {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Authorities whose certificates are accepted. */
  readonly ca?: Buffer;
}

/** TLS when there is a certificate. Clients are asked for none: they prove themselves by keys. */
export function serverCredentials({ cert, key }: TlsFiles): ServerCredentials {
  if (cert === undefined || key === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }], false);
}

/** TLS when there are authorities to judge the server by; the own certificate is shown where it is asked for. */
export function channelCredentials({ cert, key, ca }: TlsFiles): ChannelCredentials {
  if (ca === undefined) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(ca, key ?? null, cert ?? null);
}
