import type { IdHash } from '@tidemark/bytes';
import { ID_BYTES, type SeriesClass } from '@tidemark/model';
import type { ClientDictionary } from './client-dictionary.ts';
import type { Refusal } from './rejections.ts';

const INITIAL_HANDLES = 256;
const FREE = -1;
/** Class of a handle whose points are refused. */
export const REFUSED = 0;

/** Why a handle's points are refused. `metric` is set for the budget of that metric or of its tenant. */
export interface HandleRefusal extends Refusal {
  readonly metric: string | undefined;
  /** Class of the handle when the budget allows it again. */
  readonly seriesClass: SeriesClass | typeof REFUSED;
}

/**
 * Series of a tenant's requests by handle, a small integer, with partition, ref and class. They are found by series id
 * in an open hash table whose entries are handles, by a keyed hash; the ids are in the dictionaries.
 */
export class SeriesHandles {
  partitions = new Uint16Array(INITIAL_HANDLES);
  refs = new Uint32Array(INITIAL_HANDLES);
  /** Classes by handle; `REFUSED` where points are refused. */
  classes = new Uint8Array(INITIAL_HANDLES);
  /** Reporting interval that was stated last, ms; 0 where none was. */
  intervalsMs = new Uint32Array(INITIAL_HANDLES);
  /** How often the interval has changed. */
  moves = new Uint8Array(INITIAL_HANDLES);
  readonly refusals = new Map<number, HandleRefusal>();
  readonly #hash: IdHash;
  readonly #dictionaryOf: (partition: number) => ClientDictionary;
  /** One shared handle per reason for all series that are invalid in themselves, so that none needs its own handle. */
  readonly #refusedAlike = new Map<string, number>();
  #slots = new Int32Array(INITIAL_HANDLES * 2).fill(FREE);
  #size = 0;
  #probes = 0;

  constructor(hash: IdHash, dictionaryOf: (partition: number) => ClientDictionary) {
    this.#hash = hash;
    this.#dictionaryOf = dictionaryOf;
  }

  get size(): number {
    return this.#size;
  }

  /** Slots that were visited over all searches: their cost. */
  get probes(): number {
    return this.#probes;
  }

  /** Returns the handle of a series id, or -1. */
  find(seriesId: Uint8Array): number {
    return this.#slots[this.#slotOf(seriesId)];
  }

  /** Adds a handle for a series that `find` does not know. Its dictionary must have it at `ref` already. */
  add(seriesId: Uint8Array, partition: number, ref: number, seriesClass: SeriesClass, intervalMs = 0): number {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#growSlots();
    const handle = this.#next();
    this.partitions[handle] = partition;
    this.refs[handle] = ref;
    this.classes[handle] = seriesClass;
    this.intervalsMs[handle] = intervalMs;
    this.#slots[this.#slotOf(seriesId)] = handle;
    return handle;
  }

  /** The series of a handle has another ref in its dictionary, with another interval. */
  move(handle: number, ref: number, intervalMs: number): void {
    this.refs[handle] = ref;
    this.intervalsMs[handle] = intervalMs;
    this.moves[handle]++;
  }

  /** Returns the handle of all series that are refused for this reason and are in no dictionary. */
  refused(refusal: Refusal): number {
    const key = `${refusal.reason}\n${refusal.field}\n${refusal.limit}`;
    let handle = this.#refusedAlike.get(key);
    if (handle === undefined) {
      handle = this.#next();
      this.#refusedAlike.set(key, handle);
      this.refusals.set(handle, { ...refusal, metric: undefined, seriesClass: REFUSED });
    }
    return handle;
  }

  /** Refuses the points of a handle for a budget, until `allow`. */
  refuse(handle: number, refusal: Refusal, metric: string): void {
    this.refusals.set(handle, { ...refusal, metric, seriesClass: this.classes[handle] as SeriesClass });
    this.classes[handle] = REFUSED;
  }

  /** Allows the points of a refused handle again. The series has another ref in its dictionary. */
  allow(handle: number, ref: number): void {
    const refusal = this.refusals.get(handle);
    if (refusal === undefined) return;
    this.refusals.delete(handle);
    this.refs[handle] = ref;
    this.classes[handle] = refusal.seriesClass;
  }

  #next(): number {
    const handle = this.#size++;
    if (handle === this.classes.length) this.#growHandles();
    this.classes[handle] = REFUSED;
    return handle;
  }

  /** Returns the slot of the id, or the free slot for it. */
  #slotOf(seriesId: Uint8Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash.of(seriesId) & mask; ; slot = (slot + 1) & mask) {
      this.#probes++;
      const handle = this.#slots[slot];
      if (handle === FREE || Buffer.compare(this.#seriesId(handle), seriesId) === 0) return slot;
    }
  }

  #seriesId(handle: number): Buffer {
    return this.#dictionaryOf(this.partitions[handle]).seriesId(this.refs[handle]);
  }

  #growHandles(): void {
    const length = this.classes.length * 2;
    this.partitions = copied(this.partitions, new Uint16Array(length));
    this.refs = copied(this.refs, new Uint32Array(length));
    this.classes = copied(this.classes, new Uint8Array(length));
    this.intervalsMs = copied(this.intervalsMs, new Uint32Array(length));
    this.moves = copied(this.moves, new Uint8Array(length));
  }

  #growSlots(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2).fill(FREE);
    const id = Buffer.alloc(ID_BYTES);
    for (const handle of old) {
      if (handle === FREE) continue;
      this.#seriesId(handle).copy(id);
      this.#slots[this.#slotOf(id)] = handle;
    }
  }
}

function copied<T extends Uint8Array | Uint16Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
