import { toHex } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';
import { hashApiKey } from './api-key.ts';

export type Scope = 'send' | 'read' | 'admin';

/** The tenant that needs no key on loopback. */
export const DEFAULT_TENANT = 'default';

export interface AccessOptions {
  /**
   * Requires a key from callers on loopback as well. Set it behind a proxy of this machine, where every caller is on
   * loopback.
   */
  readonly loopbackNeedsKey?: boolean;
  /** The key of this process's own agent, which may send as the default tenant. It is not in the log. */
  readonly ownKey?: string;
}

/** A key that was created and not revoked. */
export interface KeyInfo {
  readonly tenant: string;
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
}

/** What is known of keys. */
export interface KeyRegistry {
  /** By the hex SHA-256 of their text. */
  readonly keys: ReadonlyMap<string, KeyInfo>;
  /** Whether a key was ever created, also where all of them were revoked. */
  readonly wereKeysCreated: boolean;
  /** Lost records, of which each may have created a key. */
  readonly lost: readonly unknown[];
}

/** Decides which tenant a caller acts for, by the current keys. */
export class Access {
  readonly #registry: KeyRegistry;
  readonly #isLoopbackTrusted: boolean;
  readonly #ownKeyHash: string | undefined;

  /** Reads `registry` at each call. */
  constructor(registry: KeyRegistry, { loopbackNeedsKey = false, ownKey }: AccessOptions = {}) {
    this.#registry = registry;
    this.#isLoopbackTrusted = !loopbackNeedsKey;
    this.#ownKeyHash = ownKey === undefined ? undefined : toHex(hashApiKey(ownKey));
  }

  /**
   * The tenant that a caller acts for. A caller without a key is accepted only on loopback, as the default tenant, and
   * only where loopback is trusted. Throws `unauthenticated` or `permission_denied`; neither contains the key.
   */
  tenantOf(key: string | undefined, scope: Scope, isLoopback: boolean): string {
    const isTrusted = isLoopback && this.#isLoopbackTrusted;
    if (key === undefined || key === '') {
      if (isTrusted) return DEFAULT_TENANT;
      throw new TidemarkError('unauthenticated', 'a key is needed: send `authorization: Bearer KEY` or `DD-API-KEY`');
    }
    const hash = toHex(hashApiKey(key));
    if (hash === this.#ownKeyHash && scope === 'send' && isLoopback) return DEFAULT_TENANT;
    const info = this.#registry.keys.get(hash);
    if (info === undefined) {
      // On loopback any key is accepted for the default tenant, so that a Datadog client with a placeholder key works
      // at once; a deployment that has or had keys, or may have lost them, accepts only those: a revoked key must not begin
      // to store its points under another tenant.
      const { wereKeysCreated, lost } = this.#registry;
      if (isTrusted && !wereKeysCreated && lost.length === 0) return DEFAULT_TENANT;
      throw new TidemarkError('unauthenticated', 'the key is not known or was revoked');
    }
    if (!info.scopes.has(scope) && !info.scopes.has('admin')) {
      throw new TidemarkError('permission_denied', `the key ${info.name} lacks the scope ${scope}`, { scope });
    }
    return info.tenant;
  }
}

/** The key in an `authorization` header; the key of a cluster may contain spaces. */
export function bearerKey(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer\s+(\S.*)$/i.exec(header.trim())?.[1];
}

/** Access for a port whose routes have no tenants: refuses every caller as `unauthenticated`, with `reason`. */
export function refuseAll(reason: string): Pick<Access, 'tenantOf'> {
  return {
    tenantOf: () => {
      throw new TidemarkError('unauthenticated', reason);
    },
  };
}
