import type { ClientDictionary } from './client-dictionary.ts';
import type { StreamQuota } from './tenant-quotas.ts';

/** What has series of a tenant in an intake: an open stream, or the tenant's requests. */
export interface SeriesSource {
  readonly tenant: string;
  /** Its client sessions, in hex, and what a status calls each. */
  readonly clientNames: readonly (readonly [session: string, name: string])[];
  /** What it may hold; given back when it leaves. */
  readonly quota: StreamQuota;
  readonly dictionaries: Iterable<ClientDictionary>;
}
