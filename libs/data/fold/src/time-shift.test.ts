import { describe, expect, test } from '@jest/globals';
import { calendarShiftOf, type Shift, TimeShifter } from './time-shift.ts';

function shifted(at: string, ...shifts: (Shift | undefined)[]): string {
  const given = shifts.filter((shift) => shift !== undefined);
  return new Date(new TimeShifter(given).shifted(Date.parse(at))).toISOString().slice(0, 16);
}

describe('a shift', () => {
  test('of a calendar keeps the local time across a change of clocks', () => {
    expect(shifted('2026-03-29T10:00Z', calendarShiftOf('-1d', 'Europe/Berlin'))).toBe('2026-03-28T11:00');
    expect(shifted('2026-03-29T10:00Z', calendarShiftOf('-1d', 'UTC'))).toBe('2026-03-28T10:00');
    expect(shifted('2026-04-02T10:00Z', calendarShiftOf('-1w', 'Europe/Berlin'))).toBe('2026-03-26T11:00');
  });

  test('of months takes the last day where a month has no such day', () => {
    expect(shifted('2026-03-31T10:00Z', calendarShiftOf('-1mo', 'UTC'))).toBe('2026-02-28T10:00');
    expect(shifted('2028-03-30T10:00Z', calendarShiftOf('-1mo', 'UTC'))).toBe('2028-02-29T10:00');
    expect(shifted('2026-01-15T10:00Z', calendarShiftOf('-13mo', 'UTC'))).toBe('2024-12-15T10:00');
  });

  test('of seconds goes either way, and shifts add up, the outer one first', () => {
    expect(shifted('2026-03-29T10:00Z', { type: 'seconds', seconds: -3600 })).toBe('2026-03-29T09:00');
    const outer: Shift = { type: 'seconds', seconds: 10 * 3600 };
    expect(shifted('2026-03-28T18:00Z', outer, calendarShiftOf('-1d', 'Europe/Berlin'))).toBe('2026-03-28T05:00');
  });

  test.each(['1d', '-0d', '-1', '-1y', '-1.5d', '-10000d', ''])('%s is none', (text) => {
    expect(calendarShiftOf(text, 'UTC')).toBeUndefined();
  });
});
