import { toHex } from '@tidemark/bytes';
import type { AggregateReply, AggregateRequest, SeriesSet } from '@tidemark/contract';
import { hash128 } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { methodOf, type PointStoreReader, queryReader } from '@tidemark/store-rpc';

/**
 * The series sets that each point store probably knows by their digest. A wrong entry costs one more round trip: the
 * store answers `failed_precondition`, and the ids are sent to it.
 */
export class KnownSets {
  readonly #setsPerStore: number;
  readonly #stores = new Map<string, Set<string>>();

  constructor(setsPerStore: number) {
    this.#setsPerStore = setsPerStore;
  }

  /**
   * Returns a reader that accepts whole sets and sends only the digest of those that the store knows. `store` names one
   * partition in one process, because each replica knows sets of its own.
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
    // The store has evicted a set, or has restarted.
    this.#stores.delete(store);
    const reply = await reader.aggregate(request, signal);
    this.#learn(store, request.groups);
    return reply;
  }

  /** Records that the store, which has answered, knows these sets; evicts the least recently used entries. */
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

/** Digests of ids that are kept between queries, such as those of a known match. */
const digests = new WeakMap<Uint8Array, Buffer>();

/** Returns a set, with its digest when it has at least `namedFromBytes`. The ids must not change any more. */
export function seriesSet(series: Uint8Array, namedFromBytes: number): SeriesSet {
  const bytes = Buffer.from(series.buffer, series.byteOffset, series.byteLength);
  if (series.length < namedFromBytes) return { digest: EMPTY, series: bytes };
  let digest = digests.get(series);
  if (digest === undefined) {
    digest = hash128(series);
    digests.set(series, digest);
  }
  return { digest, series: bytes };
}

function isIn(known: ReadonlySet<string> | undefined, { digest }: SeriesSet): boolean {
  return known !== undefined && digest.length > 0 && known.has(toHex(digest));
}

const EMPTY = Buffer.alloc(0);
