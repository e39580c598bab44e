import { ColumnReader, readValues } from '@tidemark/columns';
import { assert } from '@tidemark/ports';
import { BODY, ENTRY_BYTES } from './column-entry.ts';
import type { Page } from './page.ts';
import type { PageKernel } from './page-kernel.ts';

/** Bytes of loaded pages in the kernel's memory at most, if one page has no more. */
const ARENA_BYTES = 8 * 1024 * 1024;
const ALIGNMENT = 16;

const blockReader = new ColumnReader('page');

/** Decodes values of pages in the memory of a kernel, from `base` on: behind them, from `freeAt` on, callers have it. */
export class PageDecoder {
  readonly #kernel: PageKernel;
  readonly #base: number;
  readonly #arenaBytes: number;
  #end: number;
  /** Where the pages lie that were loaded since the arena was empty. */
  #addresses = new Map<Page, number>();

  constructor(kernel: PageKernel, base = kernel.start, arenaBytes = ARENA_BYTES) {
    this.#kernel = kernel;
    this.#base = base;
    this.#arenaBytes = arenaBytes;
    this.#end = base;
  }

  /** The kernel's memory as values. Another array once it has grown. */
  get floats(): Float64Array<ArrayBuffer> {
    return this.#kernel.floats;
  }

  /** The first address behind the arena. Larger pages than it are loaded behind it, so decode to an address once. */
  get freeAt(): number {
    return Math.max(this.#base + this.#arenaBytes, (this.#end + ALIGNMENT - 1) & -ALIGNMENT);
  }

  /**
   * Decodes the values of a slot to address `to` of the kernel's memory, a multiple of 8 from `freeAt` on: `countOf`
   * values, and up to 9 behind them. The page must have been loaded.
   */
  decode(page: Page, slot: number, to: number): void {
    const kernel = this.#kernel;
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
    const at = this.#load(page);
    kernel.loops.decodeColumn(at + page.table + slot * ENTRY_BYTES, at + page.bodyAt[slot], count, to);
    if (page.exceptions.size === 0) return;
    const exceptions = page.exceptions.get(slot);
    if (exceptions === undefined) return;
    const bits = new BigUint64Array(kernel.bytes.buffer, to, count);
    exceptions.indexes.forEach((index, i) => {
      bits[index] = exceptions.bits[i];
    });
  }

  /** The address of a page, which is copied into the arena unless it is there. */
  #load(page: Page): number {
    const known = this.#addresses.get(page);
    if (known !== undefined) return known;
    const { length } = page.bytes;
    if (this.#end + length > this.#base + this.#arenaBytes) this.clear();
    const at = this.#end;
    this.#kernel.reserve(at + length);
    this.#kernel.bytes.set(page.bytes, at);
    this.#addresses.set(page, at);
    this.#end = (at + length + ALIGNMENT - 1) & -ALIGNMENT;
    return at;
  }

  /** Forgets the pages. */
  clear(): void {
    this.#addresses.clear();
    this.#end = this.#base;
  }
}
