import { ByteWriter, crc32c } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import type { SharedTimes } from './shared-times.ts';
import { RECORD_COLUMNS_LIMIT, type RecordedPlace, TIMES_RECORD_VERSION, TimesRecord } from './times-record.ts';

/** A record with so many bytes of columns gets no more of them: who reads one page reads the whole record. */
const RECORD_BYTES = 65_536;
/** Bytes of a record at most but its columns. */
const HEAD_BYTES = 32;
/**
 * Bytes of RAM of what is known of a column, in addition to the record and the copy of the column: 92 of a place in the map by bytes, as
 * the heap grows with 200,000 of them, and the entry by object.
 */
const KNOWN_BYTES = 128;

/** What the times records of a writer are written for. */
export interface TimesOwner {
  readonly deal: number;
  /** Any time near those of the columns. */
  readonly originMs: number;
}

/** Collects columns of time, each once, in times records with consecutive numbers. */
export class TimesWriter {
  readonly #owner: TimesOwner;
  readonly #endNumber: number;
  /** The record that is being written. */
  #open: { readonly number: number; columns: number };
  readonly #body = new ByteWriter();
  /** Records that are complete, since they were taken last. */
  #complete: TimesRecord[] = [];
  /** Places of columns by their bytes. */
  readonly #places = new Map<string, RecordedPlace>();
  /** The same by the objects that brought them since records were taken last. */
  readonly #ofObject = new Map<SharedTimes, RecordedPlace>();
  /** Records that places are in, by number. */
  readonly #records = new Map<number, TimesRecord>();
  #sizeBytes = 0;

  /** The numbers of records are in [number, endNumber). */
  constructor(owner: TimesOwner, number: number, endNumber: number) {
    this.#owner = owner;
    this.#open = { number, columns: 0 };
    this.#endNumber = endNumber;
  }

  /** Bytes of RAM of what it knows of all columns, and of their records. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The place of these times; undefined where no number of a record is left. */
  placeOf(times: SharedTimes): RecordedPlace | undefined {
    const known = this.#ofObject.get(times);
    if (known !== undefined) return known;
    const column = times.encoded(this.#owner.originMs);
    const key = column.toString('latin1');
    let place = this.#places.get(key);
    if (place === undefined) {
      if (this.#open.number === this.#endNumber) return undefined;
      place = this.#add(column);
      this.#places.set(key, place);
      this.#sizeBytes += 2 * column.length + KNOWN_BYTES;
    }
    this.#ofObject.set(times, place);
    return place;
  }

  /** Completes the record that is being written. Returns those that were not taken yet. */
  take(): readonly TimesRecord[] {
    this.#finish();
    this.#ofObject.clear();
    const taken = this.#complete;
    this.#complete = [];
    return taken;
  }

  /** The record of a place, once it was taken. */
  recordOf(number: number): TimesRecord | undefined {
    return this.#records.get(number);
  }

  /** Forgets all columns, so that the same ones are written again. The records were taken. */
  forget(): void {
    assert(this.#open.columns === 0 && this.#complete.length === 0, 'all records were taken');
    this.#places.clear();
    this.#records.clear();
    this.#sizeBytes = 0;
  }

  #add(column: Uint8Array): RecordedPlace {
    this.#body.bytes(column);
    const record = this.#open;
    const place = { record, column: record.columns++ };
    if (record.columns === RECORD_COLUMNS_LIMIT || this.#body.length >= RECORD_BYTES) this.#finish();
    return place;
  }

  #finish(): void {
    const { number, columns } = this.#open;
    if (columns === 0) return;
    const out = new ByteWriter(this.#body.length + HEAD_BYTES);
    out.u8(TIMES_RECORD_VERSION);
    out.varint(this.#owner.deal);
    out.varint(number);
    out.signedVarint(this.#owner.originMs);
    out.varint(columns);
    out.bytes(this.#body.view());
    out.u32(crc32c(out.view()));
    const written = new TimesRecord(out.takeApart());
    this.#body.reset();
    this.#open = { number: number + 1, columns: 0 };
    this.#records.set(number, written);
    this.#complete.push(written);
  }
}
