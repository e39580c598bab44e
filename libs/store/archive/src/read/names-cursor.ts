import { compareBytes } from '@tidemark/bytes';
import { compareMetricKeys, type MetricKey } from '@tidemark/segment';
import type { NamedSeries } from '../names/names-format.ts';
import type { NamesObject, NamesQuery } from '../names/names-object.ts';

/** What series are sorted by in segments and names. */
export interface SeriesKey extends MetricKey {
  /** 16 bytes. */
  readonly id: Uint8Array;
}

export function compareSeries(a: SeriesKey, b: SeriesKey): number {
  return compareMetricKeys(a, b) || compareBytes(a.id, b.id);
}

/** Finds the names of series that are asked for in their order: names have the same, and are read once. */
export class NamesCursor {
  readonly #names: AsyncIterator<NamedSeries>;
  #next: { readonly key: SeriesKey; readonly tags: readonly string[] } | undefined;
  #isStarted = false;

  constructor(names: NamesObject, query: NamesQuery) {
    this.#names = names.read(query);
  }

  /** The tags of a series; undefined for one that has no name. Errors: those of `NamesObject.read`. */
  async tagsOf(key: SeriesKey): Promise<readonly string[] | undefined> {
    if (!this.#isStarted) await this.#read();
    while (this.#next !== undefined && compareSeries(this.#next.key, key) < 0) await this.#read();
    return this.#next !== undefined && compareSeries(this.#next.key, key) === 0 ? this.#next.tags : undefined;
  }

  async #read(): Promise<void> {
    this.#isStarted = true;
    const { done, value } = await this.#names.next();
    if (done === true) {
      this.#next = undefined;
      return;
    }
    const { id, name } = value;
    const { tenant, metric, seriesClass, tags } = name;
    this.#next = { key: { tenant: Buffer.from(tenant), metric: Buffer.from(metric), seriesClass, id }, tags };
  }
}
