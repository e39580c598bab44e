import { ownCopy, toHex } from '@tidemark/bytes';
import { DAY_MS, ID_BYTES, type PointLimits, SERIES_CLASS, type SeriesClass, type SeriesName } from '@tidemark/model';
import type { SeriesDefinition } from '@tidemark/point-records';
import type { Refusal } from './rejections.ts';
import type { UnsentSeries } from './unsent-series.ts';

const INITIAL_REFS = 64;
/** Definition of a series that is refused, which keeps refs dense. No accepted point refers to it. */
const NO_DEFINITION: SeriesDefinition = {
  metricId: Buffer.alloc(ID_BYTES),
  seriesId: Buffer.alloc(ID_BYTES),
  seriesClass: SERIES_CLASS.reading,
  intervalMs: 0,
};
const MAX_DAYS = 10;
/** Flag of a series whose sender states that it is a counter, next to its class. */
const COUNTER = 4;
const CLASS_MASK = 3;

/**
 * One client's series of one partition under one map epoch, by ref, as its stream defined them. The intake keeps what a
 * lane must define again in its next epoch, and which series were published to `tags` for which days. Ids are in one
 * array: millions of small objects would cost more in garbage collection than all points.
 */
export class ClientDictionary {
  readonly mapEpoch: number;
  readonly partition: number;
  #seriesIds = Buffer.alloc(INITIAL_REFS * ID_BYTES);
  #metrics = new Uint32Array(INITIAL_REFS);
  #classes = new Uint8Array(INITIAL_REFS);
  #intervalsMs = new Uint32Array(INITIAL_REFS);
  readonly #metricIds: Buffer[] = [];
  readonly #metricNames: (string | undefined)[] = [];
  readonly #metricByKey = new Map<string, number>();
  #size = 0;
  /** Name of each series until its tags are published. Afterwards only its id is needed. */
  readonly #names: (SeriesName | undefined)[] = [];
  /** Refs whose names are published, but only for days that may expire soon. They count as sent. */
  readonly #publishedEarly = new Set<number>();
  /** Counts the series with names. */
  readonly #unsent: Pick<UnsentSeries, 'remove'> | undefined;
  /** Series that have no points. Consumers must not know them. */
  readonly #hidden = new Set<number>();
  readonly #refused = new Map<number, Refusal>();
  /** First ref of a series whose interval has changed, by each later one. The interval of all of them is that of the first. */
  readonly #firstRefs = new Map<number, number>();
  /** Number of series that are distributions. */
  distributions = 0;
  #hasLeft = false;
  readonly #days = new Map<number, PublishedDay>();

  /** Names that are added must be counted in `unsent` already. */
  constructor(mapEpoch: number, partition: number, unsent?: Pick<UnsentSeries, 'remove'>) {
    this.mapEpoch = mapEpoch;
    this.partition = partition;
    this.#unsent = unsent;
  }

  /** True once its client has left: lanes need not define it again. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** The client has left. Shares that it sent before may still need the definitions. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    for (const [ref, name] of this.#names.entries()) {
      if (name !== undefined && !this.#publishedEarly.has(ref)) this.#unsent?.remove(name);
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a refused series. */
  addRefused(refusal: Refusal): void {
    this.add(NO_DEFINITION, undefined);
    this.refuse(this.#size - 1, refusal);
  }

  /** Adds the next series. `name` is absent for a refused one; `isCounter` says what the sender states of its readings. */
  add(
    { seriesId, metricId, seriesClass, intervalMs = 0 }: SeriesDefinition,
    name: SeriesName | undefined,
    isCounter = false,
  ): void {
    const ref = this.#size++;
    if (ref === this.#classes.length) this.#grow();
    this.#seriesIds.set(seriesId, ref * ID_BYTES);
    this.#metrics[ref] = this.#metric(metricId, name?.metric);
    this.#classes[ref] = isCounter ? seriesClass | COUNTER : seriesClass;
    this.#intervalsMs[ref] = intervalMs;
    this.#names.push(name);
  }

  /**
   * The last series that was added is that of `ref`, with another interval. Lanes that define its older refs again, in a
   * later epoch, must not take the change back. A ref of another series changes nothing.
   */
  restate(ref: number): void {
    const last = this.#size - 1;
    if (ref >= last || Buffer.compare(this.seriesId(ref), this.seriesId(last)) !== 0) return;
    const first = this.#firstRefs.get(ref) ?? ref;
    this.#firstRefs.set(last, first);
    this.#intervalsMs[first] = this.#intervalsMs[last];
  }

  seriesClass(ref: number): SeriesClass {
    return (this.#classes[ref] & CLASS_MASK) as SeriesClass;
  }

  isCounter(ref: number): boolean {
    return (this.#classes[ref] & COUNTER) !== 0;
  }

  /** Returns the reporting interval that the sender states, ms; 0 without one. */
  intervalMs(ref: number): number {
    return this.#intervalsMs[this.#firstRefs.get(ref) ?? ref];
  }

  /** Returns the name of the series' metric; undefined for a refused series. */
  metricName(ref: number): string | undefined {
    return this.#metricNames[this.#metrics[ref]];
  }

  /** Returns the series' id, as a view. */
  seriesId(ref: number): Buffer {
    return this.#seriesIds.subarray(ref * ID_BYTES, (ref + 1) * ID_BYTES);
  }

  /** Returns the definitions of refs from `from` to before `to`, for a block. */
  definitions(from: number, to: number): SeriesDefinition[] {
    return Array.from({ length: to - from }, (_, i) => this.#definition(from + i));
  }

  /** True when the series' metric, class or interval may not be that of the ref before it. */
  startsRun(ref: number): boolean {
    return (
      ref === 0 ||
      this.#hidden.has(ref) !== this.#hidden.has(ref - 1) ||
      this.#metrics[ref] !== this.#metrics[ref - 1] ||
      this.#classes[ref] !== this.#classes[ref - 1] ||
      this.intervalMs(ref) !== this.intervalMs(ref - 1)
    );
  }

  /** Refusals by ref. The points of a refused series are dropped and counted under the same reason. */
  get refused(): ReadonlyMap<number, Refusal> {
    return this.#refused;
  }

  /** Refuses the points of a series for as long as its client is connected. */
  refuse(ref: number, refusal: Refusal): void {
    this.#refused.set(ref, refusal);
    this.#forgetName(ref);
    this.hide(ref);
  }

  /** Hides a refused series, of which no point is ever sent, from the consumers of lanes. */
  hide(ref: number): void {
    this.#hidden.add(ref);
  }

  /** Adds a series that is hidden under another ref again, under a new ref. */
  addHidden(ref: number): number {
    const seriesClass = this.seriesClass(ref);
    const metricId = this.#metricIds[this.#metrics[ref]];
    const intervalMs = this.intervalMs(ref);
    const name = this.#names[ref];
    this.#dropName(ref);
    this.add({ seriesId: this.seriesId(ref), metricId, seriesClass, intervalMs }, name, this.isCounter(ref));
    return this.#size - 1;
  }

  /** Returns the name to publish with a day of the series; undefined once that is not needed. */
  name(ref: number): SeriesName | undefined {
    return this.#names[ref];
  }

  /** Returns true when every ref up to `maxRef` is known to be published for `day`, so no ref needs a check. */
  isPublishedThrough(day: number, maxRef: number): boolean {
    const published = this.#days.get(day);
    return published !== undefined && maxRef < published.dense;
  }

  isPublished(day: number, ref: number): boolean {
    const published = this.#days.get(day);
    return published !== undefined && (ref < published.dense || published.has(ref));
  }

  /**
   * Records that (series of `ref`, `day`) is durable in `tags`. The name is forgotten once that is so for a day that does not
   * expire before the dictionary does, see `maxDictionaryAgeMs`: for `today` or yesterday, by the clock.
   */
  markPublished(day: number, ref: number, today: number): void {
    let published = this.#days.get(day);
    if (published === undefined) {
      published = new PublishedDay();
      this.#days.set(day, published);
      this.#forgetOldDays();
    }
    this.#countSent(ref);
    if (day >= today - 1) this.#dropName(ref);
    published.add(ref);
  }

  #forgetName(ref: number): void {
    this.#countSent(ref);
    this.#dropName(ref);
  }

  #countSent(ref: number): void {
    const name = this.#names[ref];
    if (name === undefined || this.#publishedEarly.has(ref)) return;
    this.#publishedEarly.add(ref);
    // A client that has left counts no more.
    if (!this.#hasLeft) this.#unsent?.remove(name);
  }

  #dropName(ref: number): void {
    this.#names[ref] = undefined;
    this.#publishedEarly.delete(ref);
  }

  #definition(ref: number): SeriesDefinition {
    if (this.#hidden.has(ref)) return NO_DEFINITION;
    return {
      seriesId: this.seriesId(ref),
      metricId: this.#metricIds[this.#metrics[ref]],
      seriesClass: this.seriesClass(ref),
      intervalMs: this.intervalMs(ref),
    };
  }

  #metric(metricId: Uint8Array, name: string | undefined): number {
    const key = toHex(metricId);
    let metric = this.#metricByKey.get(key);
    if (metric === undefined) {
      metric = this.#metricIds.length;
      this.#metricIds.push(ownCopy(metricId));
      this.#metricNames.push(name);
      this.#metricByKey.set(key, metric);
    }
    return metric;
  }

  #grow(): void {
    const refs = this.#classes.length * 2;
    const seriesIds = Buffer.alloc(refs * ID_BYTES);
    seriesIds.set(this.#seriesIds);
    this.#seriesIds = seriesIds;
    const metrics = new Uint32Array(refs);
    metrics.set(this.#metrics);
    this.#metrics = metrics;
    const classes = new Uint8Array(refs);
    classes.set(this.#classes);
    this.#classes = classes;
    const intervalsMs = new Uint32Array(refs);
    intervalsMs.set(this.#intervalsMs);
    this.#intervalsMs = intervalsMs;
  }

  #forgetOldDays(): void {
    // A client that sends old points may need a few days at once. Publishing a day twice is harmless.
    while (this.#days.size > MAX_DAYS) {
      const [oldest] = this.#days.keys();
      this.#days.delete(oldest);
    }
  }
}

/**
 * Max age of the dictionaries of a stream or of a tenant's requests, ms. They forget the name of a series once it is
 * published for a new day, and tag stores forget it when the series was not seen for the retention: the next dictionary has
 * its name again.
 */
export function maxDictionaryAgeMs({ keptMs }: Pick<PointLimits, 'keptMs'>): number {
  return keptMs === undefined ? Number.POSITIVE_INFINITY : Math.max(keptMs, DAY_MS);
}

/** Refs that are published for one day, one bit each: a ref without points must not slow down the others. */
class PublishedDay {
  /** All refs below this one are published. */
  dense = 0;
  #bits = new Uint32Array(INITIAL_REFS >>> 5);

  has(ref: number): boolean {
    const word = ref >>> 5;
    return word < this.#bits.length && (this.#bits[word] & (1 << (ref & 31))) !== 0;
  }

  add(ref: number): void {
    const word = ref >>> 5;
    if (word >= this.#bits.length) {
      const grown = new Uint32Array(Math.max(word + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[word] |= 1 << (ref & 31);
    while (this.has(this.dense)) this.dense++;
  }
}
