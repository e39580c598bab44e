import { toHex } from '@tidemark/bytes';
import type { AggregateReply, AggregateRequest, SeriesSet } from '@tidemark/contract';
import { hash128 } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { methodOf, type PointStoreReader, type QueryStores, queryReader } from '@tidemark/store-rpc';

/**
 * Which series sets each point store is believed to know by their digest. A belief that is wrong costs one more round
 * trip: the store answers `failed_precondition`, and the same store is sent the ids.
 */
export class KnownSets {
  readonly #setsPerStore: number;
  readonly #stores = new Map<string, Set<string>>();

  constructor(setsPerStore: number) {
    this.#setsPerStore = setsPerStore;
  }

  /**
   * A reader that takes whole sets and sends only the digest of those that the store knows. `store` names the one
   * partition in the one process that `reader` asks: what a replica knows says nothing of another.
   */
  naming(store: string, reader: PointStoreReader): PointStoreReader {
    return {
      ...queryReader('points', (method) => methodOf<'points'>(reader, method)),
      aggregate: (request, signal) => this.#aggregate(store, reader, request, signal),
    };
  }

  async #aggregate(
    store: string,
    reader: PointStoreReader,
    request: AggregateRequest,
    signal: AbortSignal | undefined,
  ): Promise<AggregateReply> {
    const known = this.#stores.get(store);
    const groups = request.groups.map((set) => (isIn(known, set) ? { digest: set.digest, series: EMPTY } : set));
    try {
      const reply = await reader.aggregate({ ...request, groups }, signal);
      this.#learn(store, groups);
      return reply;
    } catch (error) {
      const named = groups.some((set, i) => set !== request.groups[i]);
      if (!named || !isTidemarkError(error, 'failed_precondition')) throw error;
    }
    // The store has forgotten a set, or has started anew.
    this.#stores.delete(store);
    const reply = await reader.aggregate(request, signal);
    this.#learn(store, request.groups);
    return reply;
  }

  /** The store has answered, so it knows these now; the least recently used are believed no more. */
  #learn(store: string, sets: readonly SeriesSet[]): void {
    let known = this.#stores.get(store);
    if (known === undefined) {
      known = new Set();
      this.#stores.set(store, known);
    }
    for (const { digest } of sets) {
      if (digest.length === 0) continue;
      const key = toHex(digest);
      known.delete(key);
      known.add(key);
    }
    for (const oldest of known) {
      if (known.size <= this.#setsPerStore) break;
      known.delete(oldest);
    }
  }
}

/** A set with its digest when it is large enough to be worth a name. */
export function seriesSet(series: Buffer, namedFromBytes: number): SeriesSet {
  return { digest: series.length < namedFromBytes ? EMPTY : hash128(series), series };
}

/** Stores of which each partition has one: sets are named by what its store knows. */
export function namingSets(stores: QueryStores, setsPerStore: number): QueryStores {
  const known = new KnownSets(setsPerStore);
  return {
    tagStore: (partition) => stores.tagStore(partition),
    pointStore: (partition) => known.naming(String(partition), stores.pointStore(partition)),
    namesSets: true,
    report: stores.report?.bind(stores),
    get divergences() {
      return stores.divergences;
    },
  };
}

function isIn(known: ReadonlySet<string> | undefined, { digest }: SeriesSet): boolean {
  return known !== undefined && digest.length > 0 && known.has(toHex(digest));
}

const EMPTY = Buffer.alloc(0);
