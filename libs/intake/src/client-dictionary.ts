import type { SeriesDefinition } from '@tidemark/block';
import type { SeriesName } from '@tidemark/model';

/**
 * One client's series of one partition under one map epoch, by ref, as its stream defined them. The intake keeps what
 * a lane has to define again in its next epoch, and which days of which series were published to `tags`.
 */
export class ClientDictionary {
  readonly mapEpoch: number;
  readonly partition: number;
  readonly definitions: SeriesDefinition[] = [];
  /** A series' name until its tags are published; then only its id is needed. */
  readonly #names: (SeriesName | undefined)[] = [];
  /** Refs whose series was refused; their points are dropped. */
  readonly refused = new Set<number>();
  /** How many of the series are distributions. */
  distributions = 0;
  readonly #days = new Map<number, PublishedDay>();

  constructor(mapEpoch: number, partition: number) {
    this.mapEpoch = mapEpoch;
    this.partition = partition;
  }

  get size(): number {
    return this.definitions.length;
  }

  add(definition: SeriesDefinition, name: SeriesName | undefined): void {
    this.definitions.push(definition);
    this.#names.push(name);
  }

  /** The name to publish with the series' first day; undefined once it was published. */
  name(ref: number): SeriesName | undefined {
    return this.#names[ref];
  }

  /** True when every ref up to `maxRef` is known to be published for `day`: no ref has to be looked at. */
  isPublishedThrough(day: number, maxRef: number): boolean {
    const published = this.#days.get(day);
    return published !== undefined && maxRef < published.dense;
  }

  isPublished(day: number, ref: number): boolean {
    const published = this.#days.get(day);
    return published !== undefined && (ref < published.dense || published.sparse.has(ref));
  }

  /** Remembers that (series of `ref`, `day`) is durable in `tags`. */
  markPublished(day: number, ref: number): void {
    let published = this.#days.get(day);
    if (published === undefined) {
      published = { dense: 0, sparse: new Set() };
      this.#days.set(day, published);
      this.#forgetOldDays();
    }
    this.#names[ref] = undefined;
    if (ref < published.dense) return;
    published.sparse.add(ref);
    while (published.sparse.delete(published.dense)) published.dense++;
  }

  #forgetOldDays(): void {
    // A client that fills in the past may need a few days at once; publishing one again is harmless.
    while (this.#days.size > MAX_DAYS) {
      const [oldest] = this.#days.keys();
      this.#days.delete(oldest);
    }
  }
}

const MAX_DAYS = 10;

interface PublishedDay {
  /** Every ref below is published. */
  dense: number;
  /** Those published above. */
  readonly sparse: Set<number>;
}
