import { IdHash } from '@tidemark/bytes';
import { ID_BYTES, type SeriesClass } from '@tidemark/model';
import { Uint32List } from './typed-list.ts';

export const ID_WORDS = ID_BYTES / 4;
const INITIAL_SERIES = 256;

/**
 * The table of series: dense id → series id, metric, class, tags, and series id → dense id. Columns in typed arrays,
 * about 40 bytes per series and 4 per tag. Dense ids are numbered in the order of `add`.
 */
export class TagSeriesTable {
  count = 0;
  /** Metric of each series. */
  readonly metric = new Uint32List(INITIAL_SERIES);
  /** Tags of series d are `tags.values[tagStart.values[d]]` up to `tagStart.values[d + 1]`, sorted by text. */
  readonly tags = new Uint32List(INITIAL_SERIES * 8);
  readonly tagStart = new Uint32List(INITIAL_SERIES);
  #classes = new Uint8Array(INITIAL_SERIES);
  #idWords = new Uint32Array(INITIAL_SERIES * ID_WORDS);
  readonly #hash: IdHash;
  /** Dense id + 1 by hash of the series id; 0 is a free slot. */
  #slots = new Uint32Array(INITIAL_SERIES * 2);
  #probes = 0;
  readonly #probe = new Uint32Array(ID_WORDS);
  readonly #probeBytes = new Uint8Array(this.#probe.buffer);

  constructor(hash = IdHash.withoutKey()) {
    this.#hash = hash;
    this.tagStart.push(0);
  }

  get sizeBytes(): number {
    const lists = this.metric.sizeBytes + this.tags.sizeBytes + this.tagStart.sizeBytes;
    return lists + this.#classes.byteLength + this.#idWords.byteLength + this.#slots.byteLength;
  }

  /** Slots that were visited over all searches: their cost. */
  get probes(): number {
    return this.#probes;
  }

  /** The dense id of a series id, or `ABSENT`. */
  find(id: Uint8Array): number {
    this.#probeBytes.set(id);
    return this.#slots[this.#slotOfProbe()] - 1;
  }

  /** Adds a series that does not exist yet; returns its dense id. */
  add(id: Uint8Array, metric: number, seriesClass: SeriesClass, tags: ArrayLike<number>): number {
    const dense = this.count++;
    if (dense === this.#classes.length) this.reserve(dense * 2);
    this.#probeBytes.set(id);
    this.#idWords.set(this.#probe, dense * ID_WORDS);
    this.#classes[dense] = seriesClass;
    this.metric.push(metric);
    for (let i = 0; i < tags.length; i++) this.tags.push(tags[i]);
    this.tagStart.push(this.tags.length);
    this.#slots[this.#slotOfProbe()] = dense + 1;
    return dense;
  }

  seriesClass(dense: number): SeriesClass {
    return this.#classes[dense] as SeriesClass;
  }

  /** Four words of each series id, in memory order; valid until the next `add`. */
  get idWords(): Uint32Array {
    return this.#idWords;
  }

  /** The slot of the probe, or the free slot for it. */
  #slotOfProbe(): number {
    const mask = this.#slots.length - 1;
    const probe = this.#probe;
    const a = probe[0];
    const b = probe[1];
    const c = probe[2];
    const d = probe[3];
    const words = this.#idWords;
    let slot = this.#hash.ofWords(probe, 0) & mask;
    for (;;) {
      this.#probes++;
      const stored = this.#slots[slot];
      if (stored === 0) return slot;
      const at = (stored - 1) * ID_WORDS;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** Makes room for `count` series in all: each growth takes a time that grows with the table. */
  reserve(count: number): void {
    let capacity = this.#classes.length;
    while (capacity < count) capacity *= 2;
    if (capacity === this.#classes.length) return;
    const classes = new Uint8Array(capacity);
    classes.set(this.#classes);
    this.#classes = classes;
    const words = new Uint32Array(capacity * ID_WORDS);
    words.set(this.#idWords);
    this.#idWords = words;
    const slots = new Uint32Array(capacity * 2);
    const mask = slots.length - 1;
    for (const stored of this.#slots) {
      if (stored === 0) continue;
      let slot = this.#hash.ofWords(words, (stored - 1) * ID_WORDS) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = stored;
    }
    this.#slots = slots;
  }

  /** The id of a series, as a copy. */
  id(dense: number): Uint8Array {
    return new Uint8Array(this.#idWords.slice(dense * ID_WORDS, (dense + 1) * ID_WORDS).buffer);
  }

  /** Copies a series id into four words of `target` from `at` on. */
  copyId(dense: number, target: Uint32Array, at: number): void {
    const from = dense * ID_WORDS;
    target[at] = this.#idWords[from];
    target[at + 1] = this.#idWords[from + 1];
    target[at + 2] = this.#idWords[from + 2];
    target[at + 3] = this.#idWords[from + 3];
  }
}
