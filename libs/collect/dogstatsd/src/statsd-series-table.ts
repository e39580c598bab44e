import { isUtf8 } from 'node:buffer';
import { SERIES_CLASS, seriesName, tagsKey } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { isRefusal, type Refusal } from './line-refusal.ts';
import { SpellingHash } from './spelling-hash.ts';
import type { DogStatsDLimits } from './statsd-limits.ts';
import { StatsdSeries, type StatsdType } from './statsd-series.ts';

const COMMA = 0x2c;

/** A spelling (the exact bytes of a name and its tags), and its series or the reason why it is refused. */
class Spelling {
  readonly bytes: Uint8Array;
  readonly nameBytes: number;
  readonly type: StatsdType;
  readonly hash: number;
  target: StatsdSeries | Refusal;

  constructor(bytes: Uint8Array, nameBytes: number, type: StatsdType, hash: number, target: StatsdSeries | Refusal) {
    this.bytes = bytes;
    this.nameBytes = nameBytes;
    this.type = type;
    this.hash = hash;
    this.target = target;
  }
}

/**
 * Finds the series of the bytes of a name and its tags. A cached spelling costs one hash and one comparison; only a new
 * one is decoded, checked and sorted. Both levels are bounded: the cache of spellings is cleared when full, idle series
 * are removed, and series beyond `limits.series` are refused.
 */
export class StatsdSeriesTable {
  readonly #limits: DogStatsDLimits;
  readonly #series = new Map<string, StatsdSeries>();
  #slots = new Int32Array(1024).fill(-1);
  #spellings: Spelling[] = [];
  #spellingBytes = 0;
  #interval = 0;
  #sweptInterval = -1;
  readonly #hash: SpellingHash;
  #probes = 0;

  /** `key`, 16 random bytes, prevents senders from choosing names that collide. */
  constructor(limits: DogStatsDLimits, key: Uint8Array) {
    this.#limits = limits;
    this.#hash = new SpellingHash(key);
  }

  /** Series known now, active or idle. */
  get size(): number {
    return this.#series.size;
  }

  get cachedSpellings(): number {
    return this.#spellings.length;
  }

  /** Spellings that were compared by their hash, over all searches: their cost. */
  get probes(): number {
    return this.#probes;
  }

  get interval(): number {
    return this.#interval;
  }

  /** Returns the series of the name and tags in these ranges of `bytes`, or the reason why it is refused. */
  find(
    bytes: Uint8Array,
    nameFrom: number,
    nameTo: number,
    type: StatsdType,
    tagsFrom: number,
    tagsTo: number,
  ): StatsdSeries | Refusal {
    const hash = this.#hash.of(bytes, nameFrom, nameTo, type, tagsFrom, tagsTo);
    let slot = hash & (this.#slots.length - 1);
    for (; this.#slots[slot] >= 0; slot = (slot + 1) & (this.#slots.length - 1)) {
      const spelling = this.#spellings[this.#slots[slot]];
      this.#probes++;
      if (spelling.hash === hash && isSame(spelling, bytes, nameFrom, nameTo, type, tagsFrom, tagsTo)) {
        const target = spelling.target;
        if (typeof target === 'string' || target.known) return target;
        const again = this.#intern(bytes, nameFrom, nameTo, type, tagsFrom, tagsTo);
        if (again !== 'series_limit') spelling.target = again;
        return again;
      }
    }
    const target = this.#intern(bytes, nameFrom, nameTo, type, tagsFrom, tagsTo);
    // The limit may have room in the next interval; every other refusal depends only on the bytes.
    if (target !== 'series_limit') this.#remember(bytes, nameFrom, nameTo, type, tagsFrom, tagsTo, hash, target);
    return target;
  }

  /** Begins the next interval. */
  nextInterval(): void {
    this.#interval++;
  }

  /** Removes series not seen for `intervals` intervals. Returns their number. */
  forgetIdle(intervals: number): number {
    let forgotten = 0;
    for (const [key, series] of this.#series) {
      if (this.#interval - series.lastInterval < intervals) continue;
      series.known = false;
      this.#series.delete(key);
      forgotten++;
    }
    return forgotten;
  }

  #intern(
    bytes: Uint8Array,
    nameFrom: number,
    nameTo: number,
    type: StatsdType,
    tagsFrom: number,
    tagsTo: number,
  ): StatsdSeries | Refusal {
    const nameRange = bytes.subarray(nameFrom, nameTo);
    const tagsRange = bytes.subarray(tagsFrom, tagsTo);
    if (!isUtf8(nameRange)) return 'metric_not_utf8';
    if (!isUtf8(tagsRange)) return 'tag_not_utf8';
    let metric: string;
    let tags: readonly string[];
    try {
      const name = seriesName('-', decode(nameRange), SERIES_CLASS.reading, splitTags(tagsRange), this.#limits.point);
      metric = name.metric;
      tags = name.tags;
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      return isRefusal(error.detail.reason) ? error.detail.reason : 'line_malformed';
    }
    const key = `${type}\0${metric}\0${tagsKey(tags)}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= this.#limits.series && !this.#makeRoom()) return 'series_limit';
    const series = new StatsdSeries(metric, type, tags, this.#interval);
    this.#series.set(key, series);
    return series;
  }

  /** Removes idle series at the limit. It visits all series, so it runs once per interval. */
  #makeRoom(): boolean {
    if (this.#sweptInterval === this.#interval) return false;
    this.#sweptInterval = this.#interval;
    return this.forgetIdle(1) > 0;
  }

  #remember(
    bytes: Uint8Array,
    nameFrom: number,
    nameTo: number,
    type: StatsdType,
    tagsFrom: number,
    tagsTo: number,
    hash: number,
    target: StatsdSeries | Refusal,
  ): void {
    const nameBytes = nameTo - nameFrom;
    const size = nameBytes + tagsTo - tagsFrom;
    const full = this.#spellings.length >= this.#limits.cachedSpellings;
    if (full || this.#spellingBytes + size > this.#limits.cachedSpellingBytes) this.#forgetSpellings();
    const copy = new Uint8Array(size);
    copy.set(bytes.subarray(nameFrom, nameTo));
    copy.set(bytes.subarray(tagsFrom, tagsTo), nameBytes);
    this.#spellingBytes += size;
    this.#spellings.push(new Spelling(copy, nameBytes, type, hash, target));
    if (this.#spellings.length * 2 > this.#slots.length) this.#grow();
    else this.#place(this.#spellings.length - 1);
  }

  #forgetSpellings(): void {
    this.#spellings = [];
    this.#spellingBytes = 0;
    this.#slots.fill(-1);
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let i = 0; i < this.#spellings.length; i++) this.#place(i);
  }

  #place(index: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#spellings[index].hash & mask;
    while (this.#slots[slot] >= 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index;
  }
}

function isSame(
  spelling: Spelling,
  bytes: Uint8Array,
  nameFrom: number,
  nameTo: number,
  type: StatsdType,
  tagsFrom: number,
  tagsTo: number,
): boolean {
  const nameBytes = nameTo - nameFrom;
  if (spelling.type !== type || spelling.nameBytes !== nameBytes) return false;
  if (spelling.bytes.length !== nameBytes + tagsTo - tagsFrom) return false;
  const kept = spelling.bytes;
  for (let i = 0; i < nameBytes; i++) if (kept[i] !== bytes[nameFrom + i]) return false;
  const shift = tagsFrom - nameBytes;
  for (let i = nameBytes; i < kept.length; i++) if (kept[i] !== bytes[shift + i]) return false;
  return true;
}

/** Splits the tags of a `#a,b:c` section (without the `#`). Empty tags and Datadog's internal ones are skipped. */
export function splitTags(bytes: Uint8Array): string[] {
  const tags: string[] = [];
  let from = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== COMMA) continue;
    if (at > from) {
      const tag = decode(bytes.subarray(from, at)).trim();
      if (tag.length > 0 && !tag.startsWith('dd.internal.')) tags.push(tag);
    }
    from = at + 1;
  }
  return tags;
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
