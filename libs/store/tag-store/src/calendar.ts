import { FactHash, SEEN } from './fact-hash.ts';

/**
 * Max days that expire when another day begins. One would do where no clock is wrong; the second catches up after a pause. A
 * clock that is set ahead by a year must not delete a year.
 */
const EXPIRED_AT_ONCE = 2;

/** A metric, as its days see it. */
export interface DayMetric {
  readonly index: number;
  /** Returns whether it has series on a day. */
  hasDay(day: number): boolean;
}

/** A UTC day on which series of a partition were seen. */
export class Day {
  /** UTC days since the Unix epoch. */
  readonly number: number;
  /** Number of days that had begun before it: a day that expired and is seen again is another one. */
  readonly serial: number;
  /** The sum over its facts, so that they can leave the state's hash at once. */
  readonly hash = new FactHash();
  /** Series that were seen, counted over all metrics. */
  seen = 0;
  readonly metrics = new Set<DayMetric>();
  hasExpired = false;

  constructor(number: number, serial: number) {
    this.number = number;
    this.serial = serial;
  }
}

/**
 * The days of a partition. A day expires in a few steps, however many series and metrics it has: a metric drops its part
 * when it is next asked for its days.
 */
export class Calendar {
  readonly #days = new Map<number, Day>();
  /** The day of the log's time at the last applied record; 0 before any. */
  today = 0;
  /** The last day that has expired, -1 before any. One that is seen again afterwards has lost what it had. */
  expiredThrough = -1;
  /** Days that have ever begun. */
  begun = 0;
  /** Days that have expired since the start. */
  expired = 0;

  get all(): Iterable<Day> {
    return this.#days.values();
  }

  get size(): number {
    return this.#days.size;
  }

  /** (series, day) pairs over all days. */
  get seen(): number {
    let seen = 0;
    for (const day of this.#days.values()) seen += day.seen;
    return seen;
  }

  find(number: number): Day | undefined {
    return this.#days.get(number);
  }

  /** The day of a number; it begins when it does not exist. */
  day(number: number): Day {
    const known = this.#days.get(number);
    if (known !== undefined) return known;
    const day = new Day(number, this.begun++);
    this.load(day);
    return day;
  }

  /** Adds a day that does not exist yet. */
  load(day: Day): void {
    this.#days.set(day.number, day);
  }

  /**
   * The day of this calendar that stands for one of an index with the same facts. It begins when it does not exist; another one
   * of its number expires, and is given to `expired`.
   */
  dayLike(other: Day, expired: Day[]): Day {
    const known = this.#days.get(other.number);
    if (known?.serial === other.serial) return known;
    if (known !== undefined) expired.push(this.#drop(known));
    const day = new Day(other.number, other.serial);
    this.load(day);
    return day;
  }

  /** Takes over what an index with the same facts says of its days. Those that it no longer has are given to `expired`. */
  takeOver(other: Calendar, expired: Day[]): void {
    this.begun = other.begun;
    this.today = other.today;
    this.expiredThrough = other.expiredThrough;
    for (const day of [...this.#days.values()]) if (other.find(day.number) === undefined) expired.push(this.#drop(day));
    for (const day of other.all) {
      const own = this.dayLike(day, expired);
      own.hash.load(day.hash.sums);
      own.seen = day.seen;
    }
  }

  /** True when a day has expired, also in an earlier process. */
  get hasEverExpired(): boolean {
    return this.expiredThrough >= 0;
  }

  /** Adds a fact to its day and to the sum of all. */
  see(day: Day, id: Uint8Array, all: FactHash): void {
    all.add(id, day.number, SEEN, day.hash);
    day.seen++;
  }

  /** Removes the oldest days, of those that are more than `retentionDays` before today, and returns them. */
  expire(retentionDays: number): Day[] {
    const before = this.today - retentionDays;
    const due = [...this.#days.values()].filter(({ number }) => number < before).sort((a, b) => a.number - b.number);
    const expired = due.slice(0, EXPIRED_AT_ONCE);
    for (const day of expired) {
      this.#drop(day);
      this.expiredThrough = Math.max(this.expiredThrough, day.number);
    }
    return expired;
  }

  #drop(day: Day): Day {
    day.hasExpired = true;
    this.#days.delete(day.number);
    this.expired++;
    return day;
  }
}
