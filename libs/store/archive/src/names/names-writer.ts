import { ByteWriter, crc32c } from '@tidemark/bytes';
import { assert, isTidemarkError } from '@tidemark/ports';
import { TagRecordWriter } from '@tidemark/tag-records';
import { INDEX_BYTES_LIMIT, NAMES_MAGIC, NAMES_VERSION, type NamedSeries, RECORD_BYTES } from './names-format.ts';

/**
 * Makes the object with the names of the series of a day (docs/formats/names.md). All of it is in memory: some 30 bytes a series.
 * Equal series give equal bytes.
 */
export class NamesWriter {
  readonly #day: number;
  readonly #record = new TagRecordWriter();
  readonly #index = new ByteWriter();
  readonly #records: Uint8Array[] = [];
  #first: NamedSeries | undefined;
  #series = 0;

  /** `day`: UTC day, days since 1970, 0 or later. */
  constructor(day: number) {
    this.#day = day;
  }

  get series(): number {
    return this.#series;
  }

  /** Adds a series. They come in the order of segments: by tenant, metric, class and id. */
  add(series: NamedSeries): void {
    if (this.#record.sizeBytes >= RECORD_BYTES) this.#endRecord();
    try {
      this.#record.addSeries(series.id, series.name, this.#day);
    } catch (error) {
      // It has many texts, and fits into a record of its own.
      if (!isTidemarkError(error, 'resource_exhausted') || this.#record.count === 0) throw error;
      this.#endRecord();
      this.#record.addSeries(series.id, series.name, this.#day);
    }
    this.#first ??= series;
    this.#series++;
  }

  /** The bytes of the object, in pieces. Nothing is added afterwards. */
  finish(): readonly Uint8Array[] {
    this.#endRecord();
    const index = this.#index.take();
    assert(index.length <= INDEX_BYTES_LIMIT, `an index of names of ${index.length} bytes`);
    const footer = new ByteWriter();
    for (const number of [index.length, crc32c(index), this.#records.length, NAMES_VERSION]) footer.u32(number);
    footer.u32(crc32c(footer.view()));
    footer.bytes(NAMES_MAGIC);
    return [...this.#records, index, footer.take()];
  }

  #endRecord(): void {
    const { count } = this.#record;
    if (count === 0 || this.#first === undefined) return;
    const record = this.#record.take();
    const { tenant, metric } = this.#first.name;
    this.#index.text(tenant);
    this.#index.text(metric);
    this.#index.varint(count);
    this.#index.varint(record.length);
    this.#records.push(record);
    this.#first = undefined;
  }
}
