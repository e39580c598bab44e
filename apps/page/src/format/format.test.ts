import { describe, expect, test } from '@jest/globals';
import { completeThroughLabel, formatAxisTime, formatDuration, formatMoment } from './format-time.ts';
import { formatCount, formatValue } from './format-value.ts';
import { unitOfMetric } from './units.ts';

describe('values', () => {
  test.each([
    [0, 'none', '0'],
    [0.5234, 'percent', '0.523%'],
    [99.96, 'percent', '100%'],
    [1_023, 'bytes', '1023 B'],
    [1_024, 'bytes', '1 KiB'],
    [1_048_575, 'bytes', '1 MiB'],
    [12.34 * 1_024 ** 3, 'bytes', '12.3 GiB'],
    [1_500, 'bytes/s', '1.46 KiB/s'],
    [1_840, 'none', '1.84 k'],
    [999.7, 'none', '1 k'],
    [-2_500_000, 'none', '−2.5 M'],
    [0.00025, 'none', '2.5e-4'],
    [0.0042, 'seconds', '4.2 ms'],
    [90, 'seconds', '90 s'],
    [7_200, 'seconds', '2 h'],
    [12_000, '/s', '12 k/s'],
    [Number.POSITIVE_INFINITY, 'none', '∞'],
  ] as const)('%p as %s is %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });

  test('an absent value is a dash, not a zero', () => {
    expect([formatValue(null, 'none'), formatValue(undefined, 'bytes'), formatValue(Number.NaN, 'percent')]).toEqual([
      '–',
      '–',
      '–',
    ]);
  });

  test('counts keep every digit', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatCount(999)).toBe('999');
  });

  test('host metrics have the units of the agent', () => {
    expect(unitOfMetric('system.mem.used')).toEqual({ name: 'bytes', scale: 1_048_576 });
    expect(unitOfMetric('system.disk.in_use')).toEqual({ name: 'percent', scale: 100 });
    expect(unitOfMetric('system.cpu.num_cores').name).toBe('none');
    expect(unitOfMetric('page.views').name).toBe('none');
  });
});

describe('times', () => {
  const nowMs = new Date(2026, 2, 14, 12, 34, 58, 100).getTime();

  test('a duration has at most two units', () => {
    expect([2_100, 9_970, 48_900, 185_000, 7_800_000, 273_600_000, -5].map(formatDuration)).toEqual([
      '2.1 s',
      '9 s',
      '48 s',
      '3 min 5 s',
      '2 h 10 min',
      '3 d 4 h',
      '0.0 s',
    ]);
  });

  test('the label has the time of completeness, and how long ago that is', () => {
    expect(completeThroughLabel(new Date(2026, 2, 14, 12, 34, 56).getTime(), nowMs)).toBe(
      'complete through 12:34:56 (2.1 s ago)',
    );
    expect(completeThroughLabel(undefined, nowMs)).toBe('completeness unknown');
  });

  test('a time on another day has the day', () => {
    expect(formatMoment(new Date(2026, 2, 13, 1, 2, 3).getTime(), nowMs)).toBe('13 Mar 01:02:03');
  });

  test('axis labels follow the distance between them', () => {
    const timeS = new Date(2026, 2, 14, 12, 30, 15).getTime() / 1_000;
    expect(formatAxisTime(timeS, 15)).toBe('12:30:15');
    expect(formatAxisTime(timeS, 300)).toBe('12:30');
    expect(formatAxisTime(new Date(2026, 2, 14).getTime() / 1_000, 3_600)).toBe('14 Mar');
  });
});
