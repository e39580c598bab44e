import { messageOf } from './error.ts';
import { isAddressInUse, systemCode } from './system-error.ts';

const IPV6_LOOPBACK = '::1';

/**
 * Returns the IPv6 address that a server listens on in addition to `host`, since a program may resolve `localhost` to
 * it: `::1` for 127.0.0.1 and 0.0.0.0, undefined for any other host.
 */
export function ipv6LoopbackFor(host: string): string | undefined {
  return host === '127.0.0.1' || host === '0.0.0.0' ? IPV6_LOOPBACK : undefined;
}

/** Returns a message for an IPv6 loopback port that cannot be opened. The server serves its other address. */
export function ipv6LoopbackProblem(protocol: string, port: number, error: unknown): string {
  const what = `${protocol} port ${port} on ${IPV6_LOOPBACK}`;
  if (isAddressInUse(error)) {
    return `${what} is in use by another program: clients that resolve localhost to ${IPV6_LOOPBACK} reach that program`;
  }
  return `${what} can't be opened (${systemCode(error) ?? messageOf(error)}): this machine may have no IPv6; use 127.0.0.1 and not localhost`;
}
