import { recordNumbersOf, TimesRecord } from '@tidemark/page';
import type { KeyValue } from '@tidemark/ports';
import { timesKey } from './keys.ts';

/** Bytes of records that are remembered at most: of a bucket of 20,000 senders that are scraped with jitter. */
const REMEMBERED_BYTES = 16 * 1024 * 1024;

/** Where pages lie that may have their times in records. */
export interface DealPlace {
  readonly bucket: number;
  readonly deal: number;
}

/** Reads times records of stored pages, and remembers those of the last deal, of which other pages need the same. */
export class TimesReader {
  readonly #keyValue: KeyValue;
  readonly #known: (place: DealPlace, number: number) => TimesRecord | undefined;
  #bucket = Number.NaN;
  #deal = Number.NaN;
  readonly #remembered = new Map<number, TimesRecord>();
  #bytes = 0;

  /** @param known returns records that are in memory anyway. */
  constructor(
    keyValue: KeyValue,
    known: (place: DealPlace, number: number) => TimesRecord | undefined = () => undefined,
  ) {
    this.#keyValue = keyValue;
    this.#known = known;
  }

  /**
   * Returns what has the times records of a page, which is not read yet. Throws `data_loss` for bytes of anything else, and for
   * a record that can't be read; one that is missing is the page's to report.
   */
  async recordsOf(place: DealPlace, page: Uint8Array): Promise<(number: number) => TimesRecord | undefined> {
    const numbers = recordNumbersOf(page);
    if (numbers.length === 0) return () => undefined;
    const found = new Map<number, TimesRecord>();
    for (const number of numbers) {
      const record = this.#recordOf(place, number) ?? (await this.#read(place, number));
      if (record !== undefined) found.set(number, record);
    }
    return (number) => found.get(number);
  }

  #recordOf(place: DealPlace, number: number): TimesRecord | undefined {
    if (place.bucket !== this.#bucket || place.deal !== this.#deal) this.#begin(place);
    return this.#remembered.get(number) ?? this.#known(place, number);
  }

  async #read(place: DealPlace, number: number): Promise<TimesRecord | undefined> {
    const bytes = await this.#keyValue.get(timesKey(place.bucket, place.deal, number));
    if (bytes === undefined) return undefined;
    const record = new TimesRecord(bytes);
    if (this.#bytes + record.sizeBytes > REMEMBERED_BYTES) this.#begin(place);
    this.#remembered.set(number, record);
    this.#bytes += record.sizeBytes;
    return record;
  }

  #begin({ bucket, deal }: DealPlace): void {
    this.#bucket = bucket;
    this.#deal = deal;
    this.#remembered.clear();
    this.#bytes = 0;
  }
}
