/** True for `127.0.0.0/8`, `::1` and their IPv4-mapped form, with or without gRPC's `ipv4:` prefix and a port. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^ipv[46]:/, '').replace(/^\[|\](:\d+)?$/g, '');
  return /^(::ffff:)?127\.\d+\.\d+\.\d+(:\d+)?$/i.test(plain) || plain === '::1' || address.startsWith('unix:');
}

/**
 * Headers that proxies add: a request with one comes from another machine, although its connection is from loopback.
 */
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const;

/** True for `localhost`, its subdomains and loopback addresses, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The parts of an HTTP request that show where it comes from. */
export interface HttpOrigin {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** True for a request of a program on this machine: without a proxy, and to a name of this machine. */
export function isLocalRequest({ headers, socket }: HttpOrigin): boolean {
  const { host } = headers;
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    isLoopbackHost(typeof host === 'string' ? host : '') &&
    FORWARDING_HEADERS.every((name) => headers[name] === undefined)
  );
}
