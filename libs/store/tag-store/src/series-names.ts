import type { IdHash } from '@tidemark/bytes';
import type { SeriesName } from '@tidemark/model';
import type { KeyValue } from '@tidemark/ports';
import { tagsOf } from './describe.ts';
import { type OpenedStore, openStore } from './open-store.ts';
import type { TagIndex } from './tag-index.ts';
import { ABSENT } from './typed-list.ts';

/** The names that the database of a tag store has, by the ids that points have. */
export class SeriesNames {
  /** True when records of its log were passed: names that it does not know will not come. */
  readonly hasGaps: boolean;
  readonly #index: TagIndex;
  readonly #metrics = new Map<string, Pick<SeriesName, 'tenant' | 'metric'>>();

  private constructor({ index, gaps }: OpenedStore) {
    this.hasGaps = gaps.size > 0;
    this.#index = index;
    for (const { tenant, name, id } of index.metrics.all) this.#metrics.set(keyOf(id), { tenant, metric: name });
  }

  /** Loads a database that nothing else writes, such as a copy. Errors: those of `TagPartition.open`. */
  static async open(keyValue: KeyValue, idHash?: IdHash): Promise<SeriesNames> {
    return new SeriesNames(await openStore(keyValue, { idHash }));
  }

  /** The tenant and name of a metric by its id, 16 bytes; undefined for one that is not known. */
  metricOf(id: Uint8Array): Pick<SeriesName, 'tenant' | 'metric'> | undefined {
    return this.#metrics.get(keyOf(id));
  }

  /** The tags of a series by its id, 16 bytes, sorted by their bytes; undefined for one that is not known. */
  tagsOf(id: Uint8Array): string[] | undefined {
    const dense = this.#index.series.find(id);
    return dense === ABSENT ? undefined : tagsOf(this.#index, dense);
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1');
}
