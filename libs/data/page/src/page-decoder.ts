import { ColumnReader, readValues } from '@tidemark/columns';
import { assert } from '@tidemark/ports';
import { BODY, ENTRY_BYTES } from './column-entry.ts';
import type { Page } from './page.ts';
import type { PageKernel } from './page-kernel.ts';

/** Bytes of loaded pages in the kernel's memory at most. */
const ARENA_BYTES = 8 * 1024 * 1024;
const ALIGNMENT = 16;

const blockReader = new ColumnReader('page');

/** Bytes of a page's record for `decodeSlots` of page.wat. */
export const PAGE_RECORD_BYTES = 16;

/** Decodes values of pages in the memory of a kernel, from `base` on: behind them, from `freeAt` on, callers have it. */
export class PageDecoder {
  readonly kernel: PageKernel;
  readonly #base: number;
  readonly #arenaBytes: number;
  #end: number;
  /** Where the pages lie that were loaded since the arena was empty. */
  #addresses = new Map<Page, number>();
  /** Of pages whose records were asked for: where it lies where each of their bodies begins. */
  #bodies = new Map<Page, number>();
  /** How often the arena was emptied: records of pages of another generation are no longer valid. */
  generation = 0;

  constructor(kernel: PageKernel, base = kernel.start, arenaBytes = ARENA_BYTES) {
    this.kernel = kernel;
    this.#base = base;
    this.#arenaBytes = arenaBytes;
    this.#end = base;
  }

  /** The kernel's memory as values. Another array once it has grown. */
  get floats(): Float64Array<ArrayBuffer> {
    return this.kernel.floats;
  }

  /** The first address behind the arena. */
  get freeAt(): number {
    return this.#base + this.#arenaBytes;
  }

  /**
   * Decodes the values of a slot to address `to` of the kernel's memory, a multiple of 8 from `freeAt` on: `countOf`
   * values, and up to 9 behind them.
   */
  decode(page: Page, slot: number, to: number): void {
    const kernel = this.kernel;
    const count = page.countOf(slot);
    const kind = page.kindOf(slot);
    assert(kind !== BODY.sketches, 'the slot has values');
    kernel.reserve(to + 8 * (count + 9));
    if (kind === BODY.blocks) {
      blockReader.open(page.bytes.subarray(page.bodyAt[slot], page.bodyAt[slot + 1]));
      readValues(blockReader, count, kernel.floats, to / 8);
      if (blockReader.remaining > 0)
        blockReader.fail(`${blockReader.remaining} bytes after the values of slot ${slot}`);
      return;
    }
    const entry = page.table + slot * ENTRY_BYTES;
    if (page.bytes.length > this.#arenaBytes) {
      const at = this.#loadSlot(page, slot, entry);
      kernel.loops.decodeColumn(at, at + ALIGNMENT, count, to);
    } else {
      const at = this.#load(page);
      kernel.loops.decodeColumn(at + entry, at + page.bodyAt[slot], count, to);
    }
    if (page.hasExceptions(slot)) page.replaceExceptions(slot, new BigUint64Array(kernel.bytes.buffer, to, count));
  }

  /**
   * Writes the records of pages to address `to` of the kernel's memory, for `decodeSlots`: of each the number of its values
   * is that of `timeClasses`. False where the pages are too large to be in the arena together.
   */
  writeRecords(pages: readonly Page[], timeClasses: readonly number[], to: number): boolean {
    if (!this.#makeRoom(pages)) return false;
    this.kernel.reserve(to + PAGE_RECORD_BYTES * pages.length);
    for (let i = 0; i < pages.length; i++) {
      const page = pages[i];
      const at = this.#load(page);
      const bodies = this.#loadBodies(page);
      const { words } = this.kernel;
      const record = (to + PAGE_RECORD_BYTES * i) / 4;
      words[record] = at + page.table;
      words[record + 1] = bodies;
      words[record + 2] = at;
      words[record + 3] = page.times.countOf(timeClasses[i]);
    }
    return true;
  }

  /** Empties the arena if these pages don't fit with those that are there. False where they are too large for it. */
  #makeRoom(pages: readonly Page[]): boolean {
    let needed = 0;
    for (const page of pages) {
      // Bodies are loaded behind the page.
      if (this.#bodies.has(page)) continue;
      if (!this.#addresses.has(page)) needed += page.bytes.length + ALIGNMENT;
      needed += 4 * page.slots + ALIGNMENT;
    }
    if (this.#end + needed <= this.#base + this.#arenaBytes) return true;
    needed = 0;
    for (const page of pages) needed += page.bytes.length + 4 * page.slots + 2 * ALIGNMENT;
    if (needed > this.#arenaBytes) return false;
    this.clear();
    return true;
  }

  #loadBodies(page: Page): number {
    const known = this.#bodies.get(page);
    if (known !== undefined) return known;
    const at = this.#end;
    const { slots, bodyAt } = page;
    this.kernel.reserve(at + 4 * slots);
    this.kernel.words.set(bodyAt.subarray(0, slots), at / 4);
    this.#bodies.set(page, at);
    this.#end = (at + 4 * slots + ALIGNMENT - 1) & -ALIGNMENT;
    return at;
  }

  /** The address of a page, which is copied into the arena unless it is there. */
  #load(page: Page): number {
    const known = this.#addresses.get(page);
    if (known !== undefined) return known;
    const { length } = page.bytes;
    if (this.#end + length > this.#base + this.#arenaBytes) this.clear();
    const at = this.#end;
    this.kernel.reserve(at + length);
    this.kernel.bytes.set(page.bytes, at);
    this.#addresses.set(page, at);
    this.#end = (at + length + ALIGNMENT - 1) & -ALIGNMENT;
    return at;
  }

  /** Copies the entry of a slot, and behind it its body, of a page that the arena can't hold; returns the address. */
  #loadSlot(page: Page, slot: number, entry: number): number {
    const { bytes, bodyAt } = page;
    const body = bytes.subarray(bodyAt[slot], bodyAt[slot + 1]);
    assert(ALIGNMENT + body.length <= this.#arenaBytes, 'the arena holds a column');
    this.clear();
    const at = this.#base;
    this.kernel.reserve(at + ALIGNMENT + body.length);
    this.kernel.bytes.set(bytes.subarray(entry, entry + ENTRY_BYTES), at);
    this.kernel.bytes.set(body, at + ALIGNMENT);
    return at;
  }

  /** Forgets the pages. */
  clear(): void {
    this.#addresses.clear();
    this.#bodies.clear();
    this.generation++;
    this.#end = this.#base;
  }
}
