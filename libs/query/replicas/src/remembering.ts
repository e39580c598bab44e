import type { PointStoreReader, QueryStores, TagStoreReader } from '@tidemark/store-rpc';
import { KnownMatches } from './known-matches.ts';
import { KnownSets } from './known-sets.ts';

export interface RememberedLimits {
  /** Series sets per store that are recorded as known by their digest. */
  readonly seriesSets: number;
  /** Series of recent matches of all stores, bytes. */
  readonly matchBytes: number;
}

/** What is remembered of stores: the series sets that they know, and the series that they found for recent questions. */
export class Remembered {
  readonly #sets: KnownSets;
  readonly #matches: KnownMatches;

  constructor({ seriesSets, matchBytes }: RememberedLimits) {
    this.#sets = new KnownSets(seriesSets);
    this.#matches = new KnownMatches(matchBytes);
  }

  /** Memory of the matches, about, bytes. A known series set is a digest: its bytes are not counted. */
  get bytes(): number {
    return this.#matches.bytes;
  }

  /** Readers of the store of one partition in one process, which `store` names. */
  points(store: string, reader: PointStoreReader): PointStoreReader {
    return this.#sets.naming(store, reader);
  }

  tags(store: string, reader: TagStoreReader): TagStoreReader {
    return this.#matches.of(store, reader);
  }
}

/** Wraps stores without replicas, so that what they know and have found is not sent again. */
export function remembering(stores: QueryStores, limits: RememberedLimits): QueryStores {
  const remembered = new Remembered(limits);
  return {
    tagStore: (partition) => remembered.tags(String(partition), stores.tagStore(partition)),
    pointStore: (partition) => remembered.points(String(partition), stores.pointStore(partition)),
    get rememberedBytes() {
      return remembered.bytes;
    },
    report: stores.report?.bind(stores),
    get divergences() {
      return stores.divergences;
    },
  };
}
