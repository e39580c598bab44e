import { afterPrefix } from '@tidemark/bytes';
import type { Page } from '@tidemark/page';
import type { KeyValue } from '@tidemark/ports';
import {
  bucketKey,
  dealKey,
  dealOfKey,
  familyKey,
  numberOfKey,
  type PageFamily,
  PREFIX,
  versionsKey,
} from '../keys.ts';
import { HeldRecords } from './held-records.ts';
import { type BudgetMember, PageBudget } from './page-budget.ts';
import { type IndexedPage, unpackIndexedPage } from './page-index.ts';
import { pageBytes, versionsAfter } from './recent-pages.ts';
import { type DealPlace, TimesReader } from './times-reader.ts';

/** Reads a stored page of a deal; undefined for one that does not count. */
type ReadPage = (place: DealPlace, bytes: Uint8Array, times: TimesReader) => Promise<Page | undefined>;

/** With more pages than this all from the first to the last are read in one run of keys, instead of one run a page. */
const SCAN_PAGES = 8;
/** Bytes of RAM of an index entry in addition to its series, and of a list of pages or deals. */
const ENTRY_BYTES = 128;
/** Bytes of RAM of a family of which nothing else is known: its key, its record and its tables. */
const FAMILY_BYTES = 400;

/** Which series of a metric are in a page of that number. */
export interface IndexEntry extends IndexedPage {
  readonly number: number;
}

interface CachedFamily extends PageFamily {
  readonly key: string;
  index: readonly IndexEntry[] | undefined;
  /** All versions of a page by its number; pages that no query has read are missing. */
  readonly pages: Map<number, Page[]>;
  bytes: number;
}

/**
 * Pages that queries have read from disk, within a byte budget that partitions share: those of the least recently read
 * family are evicted first. What writes pages or index entries says so here, under the lock of the store.
 */
export class PageCache implements BudgetMember {
  readonly isCache = true;
  readonly shareBytes: number;
  readonly #keyValue: KeyValue;
  readonly #read: ReadPage;
  readonly #budget: PageBudget;
  /** By bucket. */
  readonly #deals = new Map<number, readonly number[]>();
  /** The least recently read first. */
  readonly #families = new Map<string, CachedFamily>();
  readonly #records = new HeldRecords();
  #bytes = 0;

  /** @param shareBytes what it adds to the budget. */
  constructor(keyValue: KeyValue, read: ReadPage, shareBytes: number, budget = new PageBudget()) {
    this.#keyValue = keyValue;
    this.#read = read;
    this.shareBytes = shareBytes;
    this.#budget = budget;
    budget.join(this);
  }

  get bytes(): number {
    return this.#bytes + this.#records.bytes;
  }

  /** The deals that have pages in a bucket on disk. */
  async deals(bucket: number): Promise<readonly number[]> {
    const known = this.#deals.get(bucket);
    if (known !== undefined) return known;
    const deals: number[] = [];
    let from: Uint8Array = bucketKey(PREFIX.pageIndex, bucket);
    const to = afterPrefix(from);
    for (;;) {
      let found: number | undefined;
      for await (const { key } of this.#keyValue.entries({ from, to, limit: 1 })) found = dealOfKey(key);
      if (found === undefined) break;
      deals.push(found);
      from = afterPrefix(dealKey(PREFIX.pageIndex, bucket, found));
    }
    if (!this.#deals.has(bucket)) this.#bytes += ENTRY_BYTES;
    this.#deals.set(bucket, deals);
    this.#budget.settle();
    return deals;
  }

  /** The index of a metric's pages. Throws `data_loss` for entries that can't be read. */
  async index(family: PageFamily): Promise<readonly IndexEntry[]> {
    const own = this.#use(family);
    if (own.index !== undefined) return own.index;
    const index: IndexEntry[] = [];
    const from = familyKey(PREFIX.pageIndex, family);
    for await (const { key, value } of this.#keyValue.entries({ from, to: afterPrefix(from) })) {
      index.push({ number: numberOfKey(key), ...unpackIndexedPage(value) });
    }
    if (own.index === undefined) this.#grow(own, indexBytes(index));
    own.index = index;
    this.#budget.settle();
    return index;
  }

  /**
   * The pages of a family with these numbers, which ascend: those of a number together, in the order of their commits; those
   * that are cached come first. Throws `data_loss` for pages that can't be read.
   */
  async *versions(family: PageFamily, numbers: readonly number[]): AsyncGenerator<Page> {
    if (numbers.length === 0) return;
    const own = this.#use(family);
    const lacking: number[] = [];
    for (const number of numbers) {
      const cached = own.pages.get(number);
      if (cached === undefined) lacking.push(number);
      else yield* cached;
    }
    for (const run of runsOf(lacking)) yield* this.#readRun(own, run);
  }

  /** A commit has added a page to a family. */
  add(family: PageFamily, number: number, page: Page): void {
    if (this.#deals.get(family.bucket)?.includes(family.deal) === false) this.#dropDeals(family.bucket);
    const own = this.#families.get(keyOf(family));
    const versions = own?.pages.get(number);
    if (own === undefined || versions === undefined) return;
    // A query in progress has the list that there was.
    this.#put(own, number, [...versions, page]);
  }

  /** A commit has changed index entries of a family. */
  changeIndex(family: PageFamily): void {
    const own = this.#families.get(keyOf(family));
    if (own?.index === undefined) return;
    this.#grow(own, -indexBytes(own.index));
    own.index = undefined;
  }

  /** The versions of a page that are of records below `offset` have been replaced. */
  replace(family: PageFamily, number: number, replacing: readonly Page[], offset: number): void {
    const own = this.#families.get(keyOf(family));
    const versions = own?.pages.get(number);
    if (own !== undefined && versions !== undefined) {
      this.#put(own, number, [...replacing, ...versionsAfter(versions, offset)]);
    }
  }

  /** A bucket has been deleted. */
  drop(bucket: number): void {
    this.#dropDeals(bucket);
    for (const own of [...this.#families.values()]) if (own.bucket === bucket) this.#drop(own);
  }

  /** Drops the family that was read least recently. Deals take little: they go when there is nothing else. */
  evict(): void {
    for (const own of this.#families.values()) {
      this.#drop(own);
      return;
    }
    this.#dropAllDeals();
  }

  /** Drops everything, and takes its share out of the budget. */
  close(): void {
    for (const own of [...this.#families.values()]) this.#drop(own);
    this.#dropAllDeals();
    this.#budget.leave(this);
    this.#budget.settle();
  }

  async *#readRun(own: CachedFamily, run: readonly number[]): AsyncGenerator<Page> {
    const wanted = new Set(run);
    const times = new TimesReader(this.#keyValue, (place, record) => this.#records.find(place, record));
    const [from, last] = [versionsKey(own, run[0]), versionsKey(own, run[run.length - 1])];
    let number = -1;
    let versions: Page[] = [];
    for await (const { key, value } of this.#keyValue.entries({ from, to: afterPrefix(last) })) {
      const next = numberOfKey(key);
      if (!wanted.has(next)) continue;
      if (next !== number) {
        if (number >= 0) this.#put(own, number, versions);
        [number, versions] = [next, []];
      }
      const page = await this.#read(own, value, times);
      if (page === undefined) continue;
      versions.push(page);
      yield page;
    }
    if (number >= 0) this.#put(own, number, versions);
    this.#budget.settle();
  }

  /** The entry of a family, as the most recently read one. */
  #use(family: PageFamily): CachedFamily {
    const key = keyOf(family);
    const known = this.#families.get(key);
    const own = known ?? { ...family, key, index: undefined, pages: new Map(), bytes: 0 };
    this.#families.delete(key);
    this.#families.set(key, own);
    if (known === undefined) this.#grow(own, FAMILY_BYTES);
    return own;
  }

  #put(own: CachedFamily, number: number, versions: Page[]): void {
    const before = own.pages.get(number);
    own.pages.set(number, versions);
    if (this.#families.get(own.key) === own) {
      for (const page of versions) this.#records.add(own, page);
      for (const page of before ?? []) this.#records.remove(own, page);
    }
    this.#grow(own, versionsBytes(versions) - (before === undefined ? 0 : versionsBytes(before)));
    this.#budget.settle();
  }

  /** Counts bytes of a family, unless it was evicted while a query read it. */
  #grow(own: CachedFamily, bytes: number): void {
    if (this.#families.get(own.key) !== own) return;
    own.bytes += bytes;
    this.#bytes += bytes;
  }

  #drop(own: CachedFamily): void {
    this.#families.delete(own.key);
    for (const versions of own.pages.values()) for (const page of versions) this.#records.remove(own, page);
    this.#bytes -= own.bytes;
  }

  #dropDeals(bucket: number): void {
    if (this.#deals.delete(bucket)) this.#bytes -= ENTRY_BYTES;
  }

  #dropAllDeals(): void {
    for (const bucket of [...this.#deals.keys()]) this.#dropDeals(bucket);
  }
}

function keyOf({ bucket, deal, family }: PageFamily): string {
  return `${bucket}/${deal}/${family}`;
}

function versionsBytes(versions: readonly Page[]): number {
  return versions.reduce((bytes, page) => bytes + pageBytes(page), ENTRY_BYTES);
}

function indexBytes(index: readonly IndexEntry[]): number {
  return index.reduce((bytes, { series }) => bytes + ENTRY_BYTES + series.byteLength, 0);
}

/** Splits ascending numbers into those that are read in one run of keys: neighbours, or all where they are many. */
function* runsOf(numbers: readonly number[]): Generator<readonly number[]> {
  if (numbers.length > SCAN_PAGES) {
    yield numbers;
    return;
  }
  let from = 0;
  for (let i = 1; i <= numbers.length; i++) {
    if (i < numbers.length && numbers[i] === numbers[i - 1] + 1) continue;
    yield numbers.slice(from, i);
    from = i;
  }
}
