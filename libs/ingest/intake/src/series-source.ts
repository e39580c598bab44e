import type { PartitionMap } from '@tidemark/model';
import type { ClientDictionary } from './client-dictionary.ts';
import type { StreamQuota } from './tenant-quotas.ts';

/** A sender of a tenant's series in an intake session: an open stream, or the tenant's requests. */
export interface SeriesSource {
  readonly tenant: string;
  /** True for a client's stream: their number is bounded. */
  readonly isStream: boolean;
  /** Its client sessions, in hex, and what a status calls each. */
  readonly clientNames: readonly (readonly [session: string, name: string])[];
  /** What it may hold; given back when it leaves. */
  readonly quota: StreamQuota;
  readonly dictionaries: Iterable<ClientDictionary>;
  /** A newer map is in force. */
  announce(map: PartitionMap): void;
}
