import { isAddressInUse, messageOf, systemCode, TidemarkError } from '@tidemark/ports';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not open it (most systems reserve ports below 1024)',
};

/** What a host that is at fault is, by the code of the system. */
const HOST_FAULTS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not a known name',
  EINVAL: 'is not an address to listen on',
};

/** Creates the error for a port that can't be opened; it names the setting to change, which may be that of the host. */
export function listenError(
  protocol: 'gRPC' | 'HTTP' | 'health',
  host: string,
  port: number,
  error: unknown,
): TidemarkError {
  const cause = systemCode(error) ?? messageOf(error);
  const hostFault = HOST_FAULTS[cause];
  if (hostFault !== undefined) {
    return new TidemarkError('unavailable', `cannot listen on ${host}: it ${hostFault}`, {
      setting: 'listen.host',
      port,
    });
  }
  const reason = isAddressInUse(error) ? 'is in use by another program' : `can't be opened: ${REASONS[cause] ?? cause}`;
  const setting = protocol === 'health' ? 'http.healthPort' : `${protocol.toLowerCase()}.port`;
  return new TidemarkError('unavailable', `${protocol} port ${port} on ${host} ${reason}`, { setting, port });
}
