import type { Page } from '@tidemark/page';
import type { PageFamily } from '../keys.ts';
import { HeldRecords } from './held-records.ts';
import { type BudgetMember, PageBudget } from './page-budget.ts';
import type { SlotDeal } from './slot-deal.ts';
import type { DealPlace } from './times-reader.ts';

/** Bytes of RAM of a page in addition to its own and its times: what is known of its structure. */
const PAGE_BYTES = 2048;

/** The pages of one deal, by the page's number, each in the order of commits. */
export interface DealPages {
  readonly deal: SlotDeal;
  readonly pages: Page[][];
}

/**
 * The newest buckets' pages in RAM, within a byte budget that partitions share. A bucket is here whole or not at all, so
 * that a query reads each bucket either from here or from disk.
 */
export class RecentPages implements BudgetMember {
  readonly isCache = false;
  readonly shareBytes: number;
  readonly #budget: PageBudget;
  readonly #buckets = new Map<number, DealPages[]>();
  readonly #records = new HeldRecords();
  #bytes = 0;

  /** @param shareBytes what it adds to the budget. */
  constructor(shareBytes: number, budget = new PageBudget()) {
    this.shareBytes = shareBytes;
    this.#budget = budget;
    budget.join(this);
  }

  get bytes(): number {
    return this.#bytes + this.#records.bytes;
  }

  /** Adds the pages of a commit. `isFirst` is true when the bucket has no page on disk yet. */
  add(
    bucket: number,
    deal: SlotDeal,
    added: readonly { readonly number: number; readonly page: Page }[],
    isFirst: boolean,
  ): void {
    let deals = this.#buckets.get(bucket);
    if (deals === undefined) {
      if (!isFirst) return;
      deals = [];
      this.#buckets.set(bucket, deals);
    }
    let own = deals.find((one) => one.deal === deal);
    if (own === undefined) {
      own = { deal, pages: [] };
      deals.push(own);
    }
    for (const { number, page } of added) {
      const versions = own.pages[number];
      if (versions === undefined) own.pages[number] = [page];
      else versions.push(page);
      this.#count({ bucket, deal: deal.number }, page);
    }
    this.#budget.settle();
  }

  /** Drops the oldest bucket. */
  evict(): void {
    this.drop(Math.min(...this.#buckets.keys()));
  }

  /** Drops all buckets, and takes its share out of the budget. */
  close(): void {
    for (const bucket of [...this.#buckets.keys()]) this.drop(bucket);
    this.#budget.leave(this);
    this.#budget.settle();
  }

  /** Replaces the versions of a page that are of records below `offset`, if the bucket is here. */
  replace(family: PageFamily, number: number, replacing: readonly Page[], offset: number): void {
    const own = this.#buckets.get(family.bucket)?.find((one) => one.deal.number === family.deal);
    if (own === undefined) return;
    const versions = own.pages[number] ?? [];
    const replaced = [...replacing, ...versionsAfter(versions, offset)];
    for (const page of replaced) this.#count(family, page);
    for (const page of versions) this.#discount(family, page);
    own.pages[number] = replaced;
  }

  /** Drops the buckets above this one. */
  dropAfter(bucket: number): void {
    for (const key of [...this.#buckets.keys()]) if (key > bucket) this.drop(key);
  }

  /** All deals of a bucket, or undefined when the bucket must be read from disk. */
  get(bucket: number): readonly DealPages[] | undefined {
    return this.#buckets.get(bucket);
  }

  drop(bucket: number): void {
    for (const { deal, pages } of this.#buckets.get(bucket) ?? []) {
      const place = { bucket, deal: deal.number };
      for (const versions of pages) for (const page of versions ?? []) this.#discount(place, page);
    }
    this.#buckets.delete(bucket);
  }

  #count(place: DealPlace, page: Page): void {
    this.#bytes += pageBytes(page);
    this.#records.add(place, page);
  }

  #discount(place: DealPlace, page: Page): void {
    this.#bytes -= pageBytes(page);
    this.#records.remove(place, page);
  }
}

/** The versions of a page from commits after the one that ended at `offset`: none has records of both sides. */
export function versionsAfter(versions: readonly Page[], offset: number): Page[] {
  return versions.filter(({ toOffset }) => toOffset > offset);
}

/** Bytes of RAM of a page, without its times records. */
export function pageBytes({ bytes, times }: Page): number {
  return bytes.length + times.sizeBytes + PAGE_BYTES;
}
