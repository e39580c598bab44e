import { describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { CALENDAR_BEGINS, CALENDAR_UNITS, calendarStarts, mostCalendarSteps } from './calendar-steps.ts';
import { ZoneClock } from './zone-clock.ts';

const HOUR_MS = 3_600_000;

function startsOf(unit: (typeof CALENDAR_UNITS)[number], zone: string, from: string, to: string, begins?: number) {
  const calendar = { unit, zone, begins: begins ?? CALENDAR_BEGINS[unit] };
  return calendarStarts(calendar, new ZoneClock(zone), Date.parse(from), Date.parse(to), 0).map((ms) =>
    new Date(ms).toISOString().slice(0, 16),
  );
}

describe('calendar steps', () => {
  test('days have 23 and 25 hours where clocks change', () => {
    expect(startsOf('daily', 'Europe/Berlin', '2026-03-28T12:00Z', '2026-03-30T12:00Z')).toEqual([
      '2026-03-27T23:00',
      '2026-03-28T23:00',
      '2026-03-29T22:00',
      '2026-03-30T22:00',
    ]);
    expect(startsOf('daily', 'Europe/Berlin', '2026-10-25T12:00Z', '2026-10-25T13:00Z')).toEqual([
      '2026-10-24T22:00',
      '2026-10-25T23:00',
    ]);
  });

  test('weeks begin on Monday, months on the first, or as asked', () => {
    expect(startsOf('weekly', 'UTC', '2026-11-29T01:00Z', '2026-11-29T02:00Z')).toEqual([
      '2026-11-23T00:00',
      '2026-11-30T00:00',
    ]);
    expect(startsOf('weekly', 'UTC', '2026-11-29T01:00Z', '2026-11-29T02:00Z', 0)[0]).toBe('2026-11-29T00:00');
    expect(startsOf('monthly', 'America/New_York', '2026-03-01T01:00Z', '2026-03-31T00:00Z')).toEqual([
      '2026-02-01T05:00',
      '2026-03-01T05:00',
      '2026-04-01T04:00',
    ]);
    expect(startsOf('monthly', 'UTC', '2026-03-01T01:00Z', '2026-03-02T00:00Z', 15)[0]).toBe('2026-02-15T00:00');
    expect(startsOf('daily', 'UTC', '2026-03-01T01:00Z', '2026-03-01T02:00Z', 6)[0]).toBe('2026-02-28T06:00');
  });

  test('a day whose midnight clocks skip begins after it, and a day that they skip is none', () => {
    // Beirut goes from 00:00 to 01:00.
    expect(startsOf('daily', 'Asia/Beirut', '2026-03-29T10:00Z', '2026-03-29T11:00Z')).toEqual([
      '2026-03-28T22:00',
      '2026-03-29T21:00',
    ]);
    expect(startsOf('daily', 'Pacific/Apia', '2011-12-29T12:00Z', '2011-12-31T09:00Z')).toEqual([
      '2011-12-29T10:00',
      '2011-12-30T10:00',
      '2011-12-31T10:00',
    ]);
  });

  test('cover the range without gap and overlap, and are the same for every range', () => {
    const zone = fc.constantFrom(
      ...['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Beirut', 'America/Havana'],
      ...['Pacific/Apia', 'Asia/Kathmandu', 'America/Sao_Paulo', 'Africa/Casablanca', 'Atlantic/Azores'],
    );
    const time = fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2036-01-01') });
    const length = fc.integer({ min: 1, max: 400 * 24 * HOUR_MS });
    fc.assert(
      fc.property(
        zone,
        fc.constantFrom(...CALENDAR_UNITS),
        time,
        length,
        fc.nat(5),
        (name, unit, from, span, before) => {
          const clock = new ZoneClock(name);
          const calendar = { unit, zone: name, begins: CALENDAR_BEGINS[unit] };
          const starts = calendarStarts(calendar, clock, from, from + span, before);
          for (let i = 1; i < starts.length; i++) expect(starts[i]).toBeGreaterThan(starts[i - 1]);
          expect(starts[before]).toBeLessThanOrEqual(from);
          expect(starts[before + 1]).toBeGreaterThan(from);
          expect(starts[starts.length - 1]).toBeGreaterThanOrEqual(from + span);
          expect(starts[starts.length - 2]).toBeLessThan(from + span);
          expect(starts.length - 1 - before).toBeLessThanOrEqual(mostCalendarSteps(unit, span));
          // Any other range has the same bounds where both are.
          const later = calendarStarts(calendar, clock, from + Math.floor(span / 2), from + span, 0);
          expect(starts.slice(-later.length)).toEqual(later);
          // Samoa skipped a day, which one week lacks.
          const days = { daily: 1, weekly: name === 'Pacific/Apia' ? 6 : 7, monthly: 28 }[unit];
          for (let i = before; i + 1 < starts.length; i++) {
            const hours = (starts[i + 1] - starts[i]) / HOUR_MS;
            expect(hours).toBeGreaterThan(days * 24 - 3);
          }
        },
      ),
    );
  });
});

describe('a zone', () => {
  test('gives the first of two times, and the end of what clocks skip', () => {
    const berlin = new ZoneClock('Europe/Berlin');
    expect(berlin.utcMs(Date.parse('2026-10-25T02:30Z'))).toBe(Date.parse('2026-10-25T00:30Z'));
    expect(berlin.utcMs(Date.parse('2026-03-29T02:30Z'))).toBe(Date.parse('2026-03-29T01:00Z'));
    expect(berlin.utcMs(Date.parse('2026-03-29T03:00Z'))).toBe(Date.parse('2026-03-29T01:00Z'));
  });

  test('reads back any time that clocks show', () => {
    const clock = new ZoneClock('America/New_York');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000_000 }), (ms) => {
        const local = clock.localMs(ms);
        expect(clock.localMs(clock.utcMs(local))).toBe(local);
      }),
    );
  });

  test('that is unknown is refused by name', () => {
    try {
      new ZoneClock('Mars/Base');
      throw new Error('no error');
    } catch (error) {
      if (!isTidemarkError(error, 'invalid_argument')) throw error;
      expect(error.message).toMatch('"Mars/Base" (limit: a name such as UTC');
    }
  });
});
