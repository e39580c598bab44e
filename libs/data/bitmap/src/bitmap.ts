import { assert } from '@tidemark/ports';
import { CONTAINER_VALUES, type Container, emptyContainer } from './container.ts';
import { andContainers, andNotContainers, orContainers } from './container-sets.ts';

/**
 * A compressed set of uint32, like Roaring bitmaps: one container for each range of 65,536 values that has any.
 * Adding in ascending order costs a few nanoseconds; intersections read only containers that both sides have.
 */
export class Bitmap {
  /** High 16 bits of each container, ascending. */
  #keys: number[] = [];
  #containers: Container[] = [];

  /** A bitmap of the given values, in any order. */
  static of(values: Iterable<number>): Bitmap {
    const bitmap = new Bitmap();
    for (const value of values) bitmap.add(value);
    return bitmap;
  }

  /** A bitmap of containers with ascending keys; the bitmap owns them afterwards. */
  static ofContainers(keys: number[], containers: Container[]): Bitmap {
    assert(keys.length === containers.length, 'a key a container');
    const bitmap = new Bitmap();
    bitmap.#keys = keys;
    bitmap.#containers = containers;
    return bitmap;
  }

  /** The number of values. */
  get size(): number {
    let size = 0;
    for (const container of this.#containers) size += container.size;
    return size;
  }

  get isEmpty(): boolean {
    return this.#containers.length === 0;
  }

  /** Adds a value in [0, 2^32); true when it is new. */
  add(value: number): boolean {
    const key = value >>> 16;
    const last = this.#keys.length - 1;
    if (last >= 0 && this.#keys[last] === key) return this.#containers[last].add(value & 0xffff);
    let at = this.#find(key);
    if (at < 0) {
      at = -at - 1;
      this.#keys.splice(at, 0, key);
      this.#containers.splice(at, 0, emptyContainer());
    }
    return this.#containers[at].add(value & 0xffff);
  }

  /** The highest value; -1 when the bitmap is empty. */
  last(): number {
    const at = this.#keys.length - 1;
    return at < 0 ? -1 : this.#keys[at] * CONTAINER_VALUES + this.#containers[at].last();
  }

  addAll(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) this.add(values[i]);
  }

  has(value: number): boolean {
    const at = this.#find(value >>> 16);
    return at >= 0 && this.#containers[at].has(value & 0xffff);
  }

  /** Index of the container of `key`, or -1 - the index at which it would be inserted. */
  #find(key: number): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return low < this.#keys.length && this.#keys[low] === key ? low : -1 - low;
  }

  clone(): Bitmap {
    return Bitmap.ofContainers(
      this.#keys.slice(),
      this.#containers.map((container) => container.clone()),
    );
  }

  /** The intersection, as a new bitmap. */
  and(other: Bitmap): Bitmap {
    const keys: number[] = [];
    const containers: Container[] = [];
    let i = 0;
    let j = 0;
    while (i < this.#keys.length && j < other.#keys.length) {
      const left = this.#keys[i];
      const right = other.#keys[j];
      if (left === right) {
        const both = andContainers(this.#containers[i], other.#containers[j]);
        if (both.size > 0) {
          keys.push(left);
          containers.push(both);
        }
      }
      if (left <= right) i++;
      if (right <= left) j++;
    }
    return Bitmap.ofContainers(keys, containers);
  }

  /** The union, as a new bitmap. */
  or(other: Bitmap): Bitmap {
    return this.clone().orInPlace(other);
  }

  /** The values that are not in `other`, as a new bitmap. */
  andNot(other: Bitmap): Bitmap {
    const keys: number[] = [];
    const containers: Container[] = [];
    let j = 0;
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i];
      while (j < other.#keys.length && other.#keys[j] < key) j++;
      const shared = j < other.#keys.length && other.#keys[j] === key;
      const rest = shared ? andNotContainers(this.#containers[i], other.#containers[j]) : this.#containers[i].clone();
      if (rest.size > 0) {
        keys.push(key);
        containers.push(rest);
      }
    }
    return Bitmap.ofContainers(keys, containers);
  }

  andInPlace(other: Bitmap): this {
    return this.#become(this.and(other));
  }

  orInPlace(other: Bitmap): this {
    if (other === this) return this;
    const keys: number[] = [];
    const containers: Container[] = [];
    let i = 0;
    let j = 0;
    while (i < this.#keys.length || j < other.#keys.length) {
      const left = i < this.#keys.length ? this.#keys[i] : CONTAINER_VALUES;
      const right = j < other.#keys.length ? other.#keys[j] : CONTAINER_VALUES;
      keys.push(Math.min(left, right));
      if (left === right) containers.push(orContainers(this.#containers[i], other.#containers[j]));
      else containers.push(left < right ? this.#containers[i] : other.#containers[j].clone());
      if (left <= right) i++;
      if (right <= left) j++;
    }
    this.#keys = keys;
    this.#containers = containers;
    return this;
  }

  andNotInPlace(other: Bitmap): this {
    return this.#become(this.andNot(other));
  }

  #become(other: Bitmap): this {
    this.#keys = other.#keys;
    this.#containers = other.#containers;
    return this;
  }

  /** All values, ascending. */
  toArray(): Uint32Array {
    const out = new Uint32Array(this.size);
    let position = 0;
    for (let i = 0; i < this.#keys.length; i++) {
      position = this.#containers[i].copyInto(out, position, this.#keys[i] * CONTAINER_VALUES);
    }
    return out;
  }

  /** Converts every container to its smallest form, runs included. */
  optimize(): this {
    for (const container of this.#containers) container.optimize();
    return this;
  }

  /** Visits (high 16 bits, container) in ascending order. */
  eachContainer(visit: (key: number, container: Container) => void): void {
    for (let i = 0; i < this.#keys.length; i++) visit(this.#keys[i], this.#containers[i]);
  }
}
