import { Bitmap } from '@tidemark/bitmap';
import { DAY_MS, daysHeldAfter, type MetricMetadata, meaningOf, metricId, type SeriesClass } from '@tidemark/model';
import { finishAtOnce, type SlicedWork } from '@tidemark/ports';
import type { Calendar, Day } from './calendar.ts';

/** Days after its own on which a point of a daily series may still hold. */
const DAILY_HOLDS_DAYS = daysHeldAfter(DAY_MS);
/** A series is taken for a daily one, of which no interval is stated, if it was seen on `DAILY_SEEN` of so many days. */
const DAILY_OF_DAYS = 8;
/** Cost of a bitmap, and of each range of 65,536 series that it may have. */
const BITMAP_COST = 8;
const CONTAINER_COST = 64;
/** An interval is inferred from three gaps, so from four points. */
const DAILY_SEEN = 4;

/** A day that is not before any other. */
export const LAST_DAY = Number.MAX_SAFE_INTEGER - 1;

/** The series of a metric that were seen on one UTC day. */
export class DaySeries {
  readonly day: number;
  /** The day of the partition that it is a part of. */
  readonly whole: Day;
  readonly bitmap: Bitmap;
  /** True when it changed since the last commit. */
  isDirty = false;

  constructor(whole: Day, bitmap: Bitmap) {
    this.day = whole.number;
    this.whole = whole;
    this.bitmap = bitmap;
  }
}

/** A metric of a tenant: its id, classes and days, each with its series. */
export class Metric {
  readonly index: number;
  readonly tenant: string;
  readonly name: string;
  /** Id of the metric, 16 bytes. */
  readonly id: Buffer;
  readonly #calendar: Calendar;
  #days: DaySeries[] = [];
  /** Expired days of the calendar when they were last removed from `#days`. */
  #expired: number;
  seriesCount = 0;
  /** Bit mask with bit `class` for each class that a series of it has ever had. */
  classMask = 0;
  /** What its senders and users state of it. */
  metadata: MetricMetadata = {};
  /** True when days have expired: some of its series may have no day. */
  hasExpiredDays = false;
  /** Facts about it that were added since this object was made. */
  changes = 0;

  constructor(index: number, tenant: string, name: string, calendar: Calendar) {
    this.index = index;
    this.tenant = tenant;
    this.name = name;
    this.id = metricId(tenant, name);
    this.#calendar = calendar;
    this.#expired = calendar.expired;
  }

  /** Days with series, ascending. */
  get days(): readonly DaySeries[] {
    if (this.#expired === this.#calendar.expired) return this.#days;
    this.#expired = this.#calendar.expired;
    const kept = this.#days.filter(({ whole }) => !whole.hasExpired);
    this.hasExpiredDays ||= kept.length < this.#days.length;
    this.#days = kept;
    return kept;
  }

  /** True when a source has stated anything of it. */
  get hasMetadata(): boolean {
    return Object.values(this.metadata).some((statement) => statement !== undefined);
  }

  /** True when a user states anything of it now. */
  get isStatedByUser(): boolean {
    const { user } = this.metadata;
    return user !== undefined && Object.keys(user).length > 0;
  }

  /** Days after that of a reading on which it may still hold, because of the interval that is stated of the metric. */
  get heldDays(): number {
    return daysHeldAfter(meaningOf(this.name, this.metadata).intervalMs?.value ?? 0);
  }

  /** The last day on which a series of it was seen; -1 before the first. */
  get lastDay(): number {
    return this.days.length === 0 ? -1 : this.days[this.days.length - 1].day;
  }

  /** The entry of a day; it is created when it does not exist. */
  daySeries(day: Day): DaySeries {
    const { days } = this;
    const last = days[days.length - 1];
    if (last?.whole === day) return last;
    const at = this.#lowerBound(day.number);
    if (at < days.length && days[at].day === day.number) return days[at];
    const made = new DaySeries(day, new Bitmap());
    this.#days.splice(at, 0, made);
    day.metrics.add(this);
    return made;
  }

  /** Returns whether it has series on a day. */
  hasDay(day: number): boolean {
    return this.days[this.#lowerBound(day)]?.day === day;
  }

  /** Adds a stored day; days must be added in ascending order. */
  loadDay(day: Day, bitmap: Bitmap): void {
    this.#days.push(new DaySeries(day, bitmap));
    day.metrics.add(this);
  }

  /**
   * Series seen from `firstDay` to `lastDay`, both inclusive, as a bitmap of its own. It has every fact from before the first
   * piece of this work, and may have some of those from after.
   */
  *seen(firstDay: number, lastDay: number): SlicedWork<Bitmap, number> {
    const union = new Bitmap();
    for (const { bitmap } of this.days.slice(this.#lowerBound(firstDay), this.#lowerBound(lastDay + 1))) {
      union.orInPlace(bitmap);
      yield costOf(bitmap);
    }
    return union;
  }

  /**
   * Series that live at some time from `firstDay` to `lastDay`: seen there, both before and after, or regularly until
   * shortly before. Points of a rare series stand for the days between them. The point store knows which of them do: this
   * is a superset. A bitmap as that of `seen`.
   */
  *alive(firstDay: number, lastDay: number): SlicedWork<Bitmap, number> {
    const seen = yield* this.seen(firstDay, lastDay);
    if (this.days.length === 0 || this.days[0].day >= firstDay) return seen;
    const daily = yield* this.#dailyUntil(firstDay, seen);
    if (this.lastDay <= lastDay) return daily.orInPlace(seen);
    const before = yield* this.seen(0, firstDay - 1);
    const around = before.and(yield* this.seen(lastDay + 1, this.lastDay));
    return around.orInPlace(daily).orInPlace(seen);
  }

  /** Series that may report daily and whose last point may still hold on `day`, except those in `seen`. */
  *#dailyUntil(day: number, seen: Bitmap): SlicedWork<Bitmap, number> {
    const ended = (yield* this.seen(day - DAILY_HOLDS_DAYS, day - 1)).andNot(seen);
    if (ended.isEmpty) return ended;
    /** At index i the series that were seen on more than i of the days. */
    const counted = Array.from({ length: DAILY_SEEN }, () => new Bitmap());
    for (const { bitmap: ofDay } of this.days.slice(this.#lowerBound(day - DAILY_OF_DAYS), this.#lowerBound(day))) {
      let here = ended.and(ofDay);
      for (const bitmap of counted) {
        const again = bitmap.and(here);
        bitmap.orInPlace(here);
        here = again;
      }
      yield costOf(ofDay) * DAILY_SEEN;
    }
    return counted[DAILY_SEEN - 1];
  }

  /** The number of series seen on or after a day. */
  *countSince(day: number): SlicedWork<number, number> {
    const { days } = this;
    if (!this.hasExpiredDays && (days.length === 0 || days[0].day >= day)) return this.seriesCount;
    return (yield* this.seen(day, LAST_DAY)).size;
  }

  /** The number of its series that have a day, on or after `day`. */
  countSeen(day: number): number {
    return finishAtOnce(this.seen(day, LAST_DAY)).size;
  }

  #lowerBound(day: number): number {
    const { days } = this;
    let low = 0;
    let high = days.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (days[middle].day < day) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Cost of a union or intersection with a bitmap, in units of the cost of a point. */
function costOf(bitmap: Bitmap): number {
  return BITMAP_COST + (bitmap.last() >>> 16) * CONTAINER_COST;
}

/** Metrics of a partition, by number and by tenant and name. */
export class MetricTable {
  readonly all: Metric[] = [];
  readonly #calendar: Calendar;
  readonly #byTenant = new Map<string, Map<string, Metric>>();

  constructor(calendar: Calendar) {
    this.#calendar = calendar;
  }

  find(tenant: string, name: string): Metric | undefined {
    return this.#byTenant.get(tenant)?.get(name);
  }

  add(tenant: string, name: string): Metric {
    const metric = new Metric(this.all.length, tenant, name, this.#calendar);
    this.all.push(metric);
    let metrics = this.#byTenant.get(tenant);
    if (metrics === undefined) {
      metrics = new Map();
      this.#byTenant.set(tenant, metrics);
    }
    metrics.set(name, metric);
    return metric;
  }

  tenants(): IterableIterator<string> {
    return this.#byTenant.keys();
  }

  ofTenant(tenant: string): Metric[] {
    return [...(this.#byTenant.get(tenant)?.values() ?? [])];
  }
}

/** The classes of a mask, ascending. */
export function classesOf(mask: number): SeriesClass[] {
  const classes: SeriesClass[] = [];
  for (let seriesClass = 1; seriesClass <= 3; seriesClass++)
    if ((mask >>> seriesClass) & 1) classes.push(seriesClass as SeriesClass);
  return classes;
}
