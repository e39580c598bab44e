import { IdHash, ownCopy } from '@tidemark/bytes';
import { ID_BYTES, type SeriesClass } from '@tidemark/model';
import { assert } from '@tidemark/ports';

const WORDS = ID_BYTES / 4;
const INITIAL_SERIES = 1024;
/** Slots per series. A fuller table is rebuilt at twice the size. */
const SLOTS_PER_SERIES = 2;

/**
 * Series of the partition by dense number, in the order in which the log first named them. Ids are in one array. They
 * are found by open addressing on a keyed hash of them.
 */
export class SeriesIndex {
  readonly #hash: IdHash;
  #ids = new Uint32Array(INITIAL_SERIES * WORDS);
  #metrics = new Uint32Array(INITIAL_SERIES);
  #classes = new Uint8Array(INITIAL_SERIES);
  #slots = new Int32Array(INITIAL_SERIES * SLOTS_PER_SERIES).fill(-1);
  #length = 0;
  #probes = 0;
  readonly #metricIds: Buffer[] = [];
  readonly #metricByKey = new Map<string, number>();

  constructor(hash = IdHash.withoutKey()) {
    this.#hash = hash;
  }

  get length(): number {
    return this.#length;
  }

  /** Slots that were visited over all searches: their cost. */
  get probes(): number {
    return this.#probes;
  }

  /** Bytes of the tables of series. */
  get sizeBytes(): number {
    return this.#ids.byteLength + this.#metrics.byteLength + this.#classes.byteLength + this.#slots.byteLength;
  }

  get metricCount(): number {
    return this.#metricIds.length;
  }

  /** Returns the dense number of a series, or -1. */
  find(id: Uint8Array): number {
    const view = wordsOf(id);
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash.ofWords(view, 0) & mask; ; slot = (slot + 1) & mask) {
      this.#probes++;
      const dense = this.#slots[slot];
      if (dense === -1 || this.#isAt(dense, view)) return dense;
    }
  }

  /** Returns the dense number of a series. Adds an unknown series. */
  add(id: Uint8Array, metricId: Uint8Array, seriesClass: SeriesClass): number {
    const known = this.find(id);
    if (known !== -1) return known;
    if ((this.#length + 1) * SLOTS_PER_SERIES > this.#slots.length) this.#grow();
    const dense = this.#length++;
    this.#ids.set(wordsOf(id), dense * WORDS);
    this.#metrics[dense] = this.addMetric(metricId);
    this.#classes[dense] = seriesClass;
    this.#link(dense);
    return dense;
  }

  /** Returns the dense number of a metric. Adds an unknown metric. */
  addMetric(metricId: Uint8Array): number {
    const key = keyOf(metricId);
    const known = this.#metricByKey.get(key);
    if (known !== undefined) return known;
    const metric = this.#metricIds.length;
    this.#metricIds.push(ownCopy(metricId));
    this.#metricByKey.set(key, metric);
    return metric;
  }

  /** Returns the dense number of a metric, or -1. */
  findMetric(metricId: Uint8Array): number {
    return this.#metricByKey.get(keyOf(metricId)) ?? -1;
  }

  id(dense: number): Buffer {
    assert(dense < this.#length, `series ${dense} of ${this.#length}`);
    const { buffer, byteOffset } = this.#ids;
    return Buffer.from(buffer, byteOffset + dense * ID_BYTES, ID_BYTES);
  }

  /** Copies the four words of the id of a series to the beginning of `target`. */
  copyId(dense: number, target: Uint32Array): void {
    assert(dense < this.#length, 'the series is known');
    for (let i = 0; i < WORDS; i++) target[i] = this.#ids[dense * WORDS + i];
  }

  metric(dense: number): number {
    return this.#metrics[dense];
  }

  metricId(metric: number): Buffer {
    return this.#metricIds[metric];
  }

  seriesClass(dense: number): SeriesClass {
    return this.#classes[dense] as SeriesClass;
  }

  #isAt(dense: number, id: Uint32Array): boolean {
    const ids = this.#ids;
    const at = dense * WORDS;
    return ids[at] === id[0] && ids[at + 1] === id[1] && ids[at + 2] === id[2] && ids[at + 3] === id[3];
  }

  #link(dense: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash.ofWords(this.#ids, dense * WORDS) & mask;
    while (this.#slots[slot] !== -1) slot = (slot + 1) & mask;
    this.#slots[slot] = dense;
  }

  #grow(): void {
    const capacity = this.#metrics.length * 2;
    const ids = new Uint32Array(capacity * WORDS);
    ids.set(this.#ids);
    this.#ids = ids;
    const metrics = new Uint32Array(capacity);
    metrics.set(this.#metrics);
    this.#metrics = metrics;
    const classes = new Uint8Array(capacity);
    classes.set(this.#classes);
    this.#classes = classes;
    this.#slots = new Int32Array(capacity * SLOTS_PER_SERIES).fill(-1);
    for (let dense = 0; dense < this.#length; dense++) this.#link(dense);
  }
}

const scratch = new Uint32Array(WORDS);
const scratchBytes = new Uint8Array(scratch.buffer);

/** Returns the id as four words, in a scratch array that the next call overwrites. */
function wordsOf(id: Uint8Array): Uint32Array {
  scratchBytes.set(id);
  return scratch;
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}
