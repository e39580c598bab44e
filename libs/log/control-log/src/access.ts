import { toHex } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';
import { hashApiKey } from './api-key.ts';
import type { ControlState } from './control-state.ts';

export type Scope = 'send' | 'read' | 'admin';

/** The tenant that needs no key on loopback. */
export const DEFAULT_TENANT = 'default';

export interface AccessOptions {
  /** Callers on loopback need a key as others do: behind a proxy of this machine everybody is on loopback. */
  readonly loopbackNeedsKey?: boolean;
  /** A key that is in no log: of this process's own agent, which may send as the default tenant. */
  readonly ownKey?: string;
}

/** Who may do what, by the keys in `control`. */
export class Access {
  readonly #state: ControlState;
  readonly #isLoopbackTrusted: boolean;
  readonly #ownKeyHash: string | undefined;

  constructor(state: ControlState, { loopbackNeedsKey = false, ownKey }: AccessOptions = {}) {
    this.#state = state;
    this.#isLoopbackTrusted = !loopbackNeedsKey;
    this.#ownKeyHash = ownKey === undefined ? undefined : toHex(hashApiKey(ownKey));
  }

  /**
   * The tenant that a caller acts for. Without a key only a caller on loopback is let in, as the default tenant, and
   * only where loopback is trusted. Throws `unauthenticated` or `permission_denied`; neither names the key.
   */
  tenantOf(key: string | undefined, scope: Scope, isLoopback: boolean): string {
    const isTrusted = isLoopback && this.#isLoopbackTrusted;
    if (key === undefined || key === '') {
      if (isTrusted) return DEFAULT_TENANT;
      throw new TidemarkError('unauthenticated', 'a key is needed: send `authorization: Bearer KEY` or `DD-API-KEY`');
    }
    const hash = toHex(hashApiKey(key));
    if (hash === this.#ownKeyHash && scope === 'send' && isLoopback) return DEFAULT_TENANT;
    const info = this.#state.keys.get(hash);
    if (info === undefined) {
      // On loopback any key is the default tenant's, so that a Datadog client with a placeholder key works at once;
      // a deployment that has keys of its own takes only those.
      if (isTrusted && this.#state.keys.size === 0) return DEFAULT_TENANT;
      throw new TidemarkError('unauthenticated', 'the key is not known or was revoked');
    }
    if (!info.scopes.has(scope) && !info.scopes.has('admin')) {
      throw new TidemarkError('permission_denied', `the key ${info.name} lacks the scope ${scope}`, { scope });
    }
    return info.tenant;
  }
}

/** True for `127.0.0.0/8`, `::1` and their IPv4-mapped form, with or without gRPC's `ipv4:` prefix and a port. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.replace(/^ipv[46]:/, '').replace(/^\[|\](:\d+)?$/g, '');
  return /^(::ffff:)?127\.\d+\.\d+\.\d+(:\d+)?$/i.test(plain) || plain === '::1' || address.startsWith('unix:');
}

/** The key in an `authorization` header; the key of a cluster may have blanks in it. */
export function bearerKey(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer\s+(\S.*)$/i.exec(header.trim())?.[1];
}

/** Headers of proxies: what they bring in comes from elsewhere, whatever the connection's address is. */
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const;

/** True for `localhost`, its subdomains and loopback addresses, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** What an HTTP request says of where it comes from. */
export interface HttpOrigin {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** True for a request that a program of this machine made: not through a proxy, and to a name of this machine. */
export function isLocalRequest({ headers, socket }: HttpOrigin): boolean {
  const { host } = headers;
  return (
    isLoopbackAddress(socket.remoteAddress ?? '') &&
    isLoopbackHost(typeof host === 'string' ? host : '') &&
    FORWARDING_HEADERS.every((name) => headers[name] === undefined)
  );
}
