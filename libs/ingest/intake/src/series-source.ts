import type { PartitionMap } from '@tidemark/model';
import type { ClientDictionary } from './client-dictionary.ts';
import type { StreamQuota } from './tenant-quotas.ts';

/** A sender of a tenant's series in an intake session: an open stream, or the tenant's requests. */
export interface SeriesSource {
  readonly tenant: string;
  /** True for a client's stream. The number of streams is bounded. */
  readonly isStream: boolean;
  /** Client sessions, in hex, each with its name in a status. */
  readonly clientNames: readonly (readonly [session: string, name: string])[];
  /** Memory that the source may use; it is released when the source leaves. */
  readonly quota: StreamQuota;
  readonly dictionaries: Iterable<ClientDictionary>;
  /** Called when a newer map is in force. */
  announce(map: PartitionMap): void;
}
