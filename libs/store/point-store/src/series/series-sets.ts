import { equalBytes, toHex } from '@tidemark/bytes';
import { hash128, ID_BYTES } from '@tidemark/model';
import { limitError, TidemarkError } from '@tidemark/ports';

/** The dense numbers of a set's series of one metric, ascending. */
export interface DenseSet {
  readonly series: Uint32Array;
  readonly metric: number;
  /** How many series the store knew, and whether some of the set were none of them, or of another metric. */
  readonly knownSeries: number;
  readonly lacksSeries: boolean;
}

/** Bytes of RAM of a set in addition to its ids, and of each of its series in its dense numbers. */
const SET_BYTES = 800;
const DENSE_BYTES = 4;

/**
 * Sets of series named by digest, so that a large set crosses the network once. They share a budget of bytes; the least
 * recently used are evicted first.
 */
export class SeriesSets {
  readonly #limitBytes: number;
  readonly #sets = new Map<string, Uint8Array>();
  readonly #dense = new WeakMap<Uint8Array, DenseSet>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The ids of a set, 16 bytes each. `failed_precondition` when the request has only a digest and the digest is
   * unknown: the caller then sends the ids.
   */
  resolve(digest: Uint8Array, ids: Uint8Array): Uint8Array {
    if (ids.length === 0 && digest.length === 0) return ids;
    const key = toHex(digest);
    if (ids.length === 0) {
      const known = this.#sets.get(key);
      if (known === undefined)
        throw new TidemarkError('failed_precondition', `series set ${key} is not known here; send its ids`);
      this.#sets.delete(key);
      this.#sets.set(key, known);
      return known;
    }
    if (ids.length % ID_BYTES !== 0) {
      throw limitError('series', `${ids.length} bytes`, `a multiple of ${ID_BYTES}`);
    }
    if (digest.length === 0) return ids;
    if (!equalBytes(hash128(ids), digest)) {
      throw new TidemarkError('invalid_argument', 'series: the digest does not match the ids', { field: 'series' });
    }
    this.#remember(key, ids);
    return ids;
  }

  #remember(key: string, ids: Uint8Array): void {
    if (this.#sets.has(key) || bytesOf(ids) > this.#limitBytes) return;
    this.#sets.set(key, Uint8Array.from(ids));
    this.#bytes += bytesOf(ids);
    for (const [oldest, set] of this.#sets) {
      if (this.#bytes <= this.#limitBytes) break;
      this.#sets.delete(oldest);
      this.#bytes -= bytesOf(set);
    }
  }

  /** The dense numbers of a set that `resolve` has returned, if they are known and no series can have been added. */
  denseOf(ids: Uint8Array, metric: number, knownSeries: number): DenseSet | undefined {
    const dense = this.#dense.get(ids);
    if (dense?.metric !== metric) return undefined;
    return dense.lacksSeries && dense.knownSeries !== knownSeries ? undefined : dense;
  }

  /** Remembers the dense numbers of a set, 4 bytes a series, as long as the set itself. */
  rememberDense(ids: Uint8Array, dense: DenseSet): void {
    this.#dense.set(ids, dense);
  }
}

function bytesOf(ids: Uint8Array): number {
  return SET_BYTES + ids.length + DENSE_BYTES * (ids.length / ID_BYTES);
}
