import type { KeyInfo } from '@tidemark/access';

/** API keys by the hex SHA-256 of the key, which are found by tenant and name too. */
export class KeyTable extends Map<string, KeyInfo> {
  /** Hashes by tenant and name. */
  readonly #hashes = new Map<string, Map<string, string>>();

  /** The hash of the key of a tenant with this name. */
  hashOf(tenant: string, name: string): string | undefined {
    return this.#hashes.get(tenant)?.get(name);
  }

  override set(hash: string, info: KeyInfo): this {
    this.delete(hash);
    const ofTenant = this.#hashes.get(info.tenant);
    if (ofTenant === undefined) this.#hashes.set(info.tenant, new Map([[info.name, hash]]));
    else ofTenant.set(info.name, hash);
    return super.set(hash, info);
  }

  override delete(hash: string): boolean {
    const info = this.get(hash);
    if (info === undefined) return false;
    const ofTenant = this.#hashes.get(info.tenant);
    if (ofTenant?.get(info.name) === hash) ofTenant.delete(info.name);
    if (ofTenant?.size === 0) this.#hashes.delete(info.tenant);
    return super.delete(hash);
  }

  override clear(): void {
    this.#hashes.clear();
    super.clear();
  }
}
