import { recordNumbersOf, TimesRecord } from '@tidemark/page';
import { type KeyValue, TidemarkError } from '@tidemark/ports';
import { timesKey } from '../keys.ts';

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
   * Returns what has the times records of a page, which is not read yet, or throws `data_loss` for one that is missing or is
   * another one: when the page asks for it, after it has checked itself. Throws `data_loss` for bytes of anything but a page.
   */
  async recordsOf(place: DealPlace, page: Uint8Array): Promise<(number: number) => TimesRecord> {
    const numbers = recordNumbersOf(page);
    const known = new Map<number, TimesRecord | undefined>();
    for (const number of numbers) known.set(number, this.#recordOf(place, number));
    const lacking = numbers.filter((number) => known.get(number) === undefined);
    const keys = lacking.map((number) => timesKey(place.bucket, place.deal, number));
    const read = lacking.length === 0 ? [] : await this.#keyValue.getMany(keys);
    return (number) =>
      known.get(number) ?? this.#remember(place, checked(place, number, read[lacking.indexOf(number)]));
  }

  #recordOf(place: DealPlace, number: number): TimesRecord | undefined {
    if (place.bucket !== this.#bucket || place.deal !== this.#deal) this.#begin(place);
    return this.#remembered.get(number) ?? this.#known(place, number);
  }

  #remember(place: DealPlace, record: TimesRecord): TimesRecord {
    if (this.#bytes + record.sizeBytes > REMEMBERED_BYTES) this.#begin(place);
    this.#remembered.set(record.number, record);
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

/** The stored times record of a number. Throws `data_loss` for anything else. */
function checked({ bucket, deal }: DealPlace, number: number, bytes: Uint8Array | undefined): TimesRecord {
  const lost = (what: string) =>
    new TidemarkError('data_loss', `times record ${number} of deal ${deal} of the stored bucket ${bucket} ${what}`, {
      bucket,
      deal,
      number,
    });
  if (bytes === undefined) throw lost('is missing');
  let record: TimesRecord;
  try {
    record = new TimesRecord(bytes);
  } catch (error) {
    if (error instanceof TidemarkError) throw lost(`can't be read: ${error.message}`);
    throw error;
  }
  if (record.deal !== deal || record.number !== number) {
    throw lost(`is record ${record.number} of deal ${record.deal}`);
  }
  return record;
}
