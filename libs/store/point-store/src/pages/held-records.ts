import type { Page, TimesRecord } from '@tidemark/page';
import type { DealPlace } from './times-reader.ts';

/** Times records of the pages that one has in RAM: a record is there as long as one of its pages is. */
export class HeldRecords {
  /** How many pages have times in a record. */
  readonly #pages = new Map<TimesRecord, number>();
  readonly #byPlace = new Map<string, TimesRecord>();
  #bytes = 0;

  /** Bytes of RAM of all records. */
  get bytes(): number {
    return this.#bytes;
  }

  find(place: DealPlace, number: number): TimesRecord | undefined {
    return this.#byPlace.get(keyOf(place, number));
  }

  /** A page has come. */
  add(place: DealPlace, { records, recordNumbers }: Page): void {
    records.forEach((record, i) => {
      const pages = this.#pages.get(record) ?? 0;
      this.#pages.set(record, pages + 1);
      if (pages > 0) return;
      this.#bytes += record.sizeBytes;
      this.#byPlace.set(keyOf(place, recordNumbers[i]), record);
    });
  }

  /** A page that had come has gone. */
  remove(place: DealPlace, { records, recordNumbers }: Page): void {
    records.forEach((record, i) => {
      const pages = this.#pages.get(record) ?? 0;
      if (pages > 1) {
        this.#pages.set(record, pages - 1);
        return;
      }
      this.#pages.delete(record);
      this.#bytes -= record.sizeBytes;
      const key = keyOf(place, recordNumbers[i]);
      // Two queries at once may have read it twice.
      if (this.#byPlace.get(key) === record) this.#byPlace.delete(key);
    });
  }
}

function keyOf({ bucket, deal }: DealPlace, number: number): string {
  return `${bucket}/${deal}/${number}`;
}
