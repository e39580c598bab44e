import { DAY_MS } from '@tidemark/model/day';
import { TidemarkError } from '@tidemark/ports';

/** Local time of an IANA time zone, by the time zone data of the runtime. */
export class ZoneClock {
  readonly zone: string;
  readonly #format: Intl.DateTimeFormat;
  /** Offsets at UTC midnights, ms. */
  readonly #midnights = new Map<number, number>();

  /** Throws `invalid_argument` when the runtime knows no such zone. */
  constructor(zone: string) {
    this.zone = zone;
    try {
      this.#format = new Intl.DateTimeFormat('en-US', { timeZone: zone, ...PARTS });
    } catch {
      throw new TidemarkError(
        'invalid_argument',
        `time zone: ${JSON.stringify(zone.slice(0, LONGEST_SHOWN))} (limit: a name such as UTC, Europe/Paris or America/New_York)`,
        { field: 'timezone' },
      );
    }
  }

  /** Local time less UTC at a time, ms. */
  offsetMs(utcMs: number): number {
    const day = Math.floor(utcMs / DAY_MS);
    const before = this.#atMidnight(day);
    // No zone changes its offset twice within a day.
    return before === this.#atMidnight(day + 1) ? before : this.#exactOffsetMs(utcMs);
  }

  /** The date and time that clocks of the zone show, as if it were UTC, ms. */
  localMs(utcMs: number): number {
    return utcMs + this.offsetMs(utcMs);
  }

  /**
   * The time at which clocks of the zone show `localMs`: the first of two such times, and where clocks skip it, the end
   * of what they skip.
   */
  utcMs(localMs: number): number {
    const before = this.offsetMs(localMs - DAY_MS);
    const after = this.offsetMs(localMs + DAY_MS);
    const found = [localMs - before, localMs - after].filter((utcMs) => this.localMs(utcMs) === localMs);
    if (found.length > 0) return Math.min(...found);
    return this.#jumpBetween(localMs - Math.max(before, after), localMs - Math.min(before, after), localMs);
  }

  /** The first time in [from, to] at which clocks show more than `localMs`. */
  #jumpBetween(from: number, to: number, localMs: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.localMs(middle) > localMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #atMidnight(day: number): number {
    let offset = this.#midnights.get(day);
    if (offset === undefined) {
      offset = this.#exactOffsetMs(day * DAY_MS);
      this.#midnights.set(day, offset);
    }
    return offset;
  }

  #exactOffsetMs(utcMs: number): number {
    const seconds = Math.floor(utcMs / 1000) * 1000;
    const fields: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(seconds)) fields[type] = Number(value);
    const { year, month, day, hour, minute, second } = fields;
    return Date.UTC(year, month - 1, day, hour, minute, second) - seconds;
  }
}

const LONGEST_SHOWN = 60;

const PARTS: Intl.DateTimeFormatOptions = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
};
