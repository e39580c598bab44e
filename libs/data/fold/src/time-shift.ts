import { DAY_MS } from '@tidemark/model/day';
import { ZoneClock } from './zone-clock.ts';

/** Where a shifted query reads what it shows at a time. */
export type Shift =
  /** So many seconds later; earlier below zero. */
  | { readonly type: 'seconds'; readonly seconds: number }
  /** So many days or months earlier, at the same local time of a zone. */
  | { readonly type: 'calendar'; readonly days: number; readonly months: number; readonly zone: string };

/** The shift of `calendar_shift`'s second argument (`-1d`, `-2w`, `-1mo`); undefined when it is none. */
export function calendarShiftOf(text: string, zone: string): Shift | undefined {
  const [, count, unit] = /^-([1-9]\d{0,3})(d|w|mo)$/.exec(text) ?? [];
  if (count === undefined) return undefined;
  const by = Number(count);
  return {
    type: 'calendar',
    days: unit === 'mo' ? 0 : by * (unit === 'w' ? 7 : 1),
    months: unit === 'mo' ? by : 0,
    zone,
  };
}

/** Reads the time that one shift after the other makes of a time, ms; shifts of one zone share its data. */
export class TimeShifter {
  readonly #shifts: readonly { readonly shift: Shift; readonly clock: ZoneClock | undefined }[];

  constructor(shifts: readonly Shift[]) {
    const clocks = new Map<string, ZoneClock>();
    this.#shifts = shifts.map((shift) => {
      if (shift.type === 'seconds') return { shift, clock: undefined };
      const clock = clocks.get(shift.zone) ?? new ZoneClock(shift.zone);
      clocks.set(shift.zone, clock);
      return { shift, clock };
    });
  }

  shifted(timeMs: number): number {
    return this.#shifts.reduce((at, { shift, clock }) => {
      if (shift.type === 'seconds') return at + shift.seconds * 1000;
      return clock === undefined ? at : clock.utcMs(earlier(clock.localMs(at), shift.days, shift.months));
    }, timeMs);
  }
}

/** A local time some days and months earlier; a day that the month does not have becomes its last. */
function earlier(localMs: number, days: number, months: number): number {
  const back = localMs - days * DAY_MS;
  if (months === 0) return back;
  const date = new Date(back);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() - months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const midnight = Date.UTC(year, month, Math.min(date.getUTCDate(), lastDay));
  return midnight + (((back % DAY_MS) + DAY_MS) % DAY_MS);
}
