import { isAddressInUse, messageOf, systemCode, TidemarkError } from '@tidemark/ports';

/** Creates the error for a port that can't be opened; it names the setting that chooses another. */
export function listenError(
  protocol: 'gRPC' | 'HTTP' | 'health',
  host: string,
  port: number,
  error: unknown,
): TidemarkError {
  const cause = systemCode(error) ?? messageOf(error);
  const reason = isAddressInUse(error) ? 'is in use by another program' : `can't be opened: ${cause}`;
  const setting = protocol === 'health' ? 'http.healthPort' : `${protocol.toLowerCase()}.port`;
  return new TidemarkError('unavailable', `${protocol} port ${port} on ${host} ${reason}`, { setting, port });
}
