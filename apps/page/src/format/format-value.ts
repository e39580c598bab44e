export { formatCount } from '@tidemark/doctor';

import type { UnitName } from './units.ts';

const SI = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const SMALL_SECONDS: readonly (readonly [number, string])[] = [
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];
const LONG_SECONDS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

/** Formats three significant digits and the unit: `12.3 KiB`, `0.52%`, `1.84 k`; `–` for no value. */
export function formatValue(value: number | null | undefined, unit: UnitName): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const sign = value < 0 ? '−' : '';
  return sign + formatMagnitude(Math.abs(value), unit);
}

function formatMagnitude(value: number, unit: UnitName): string {
  switch (unit) {
    case 'percent':
      return `${threeDigits(value)}%`;
    case 'bytes':
      return stepped(value, 1_024, BINARY);
    case 'bytes/s':
      return `${stepped(value, 1_024, BINARY)}/s`;
    case 'seconds':
      return seconds(value);
    case '/s':
      return `${stepped(value, 1_000, SI)}/s`;
    case 'none':
      return stepped(value, 1_000, SI);
    default:
      return `${stepped(value, 1_000, SI)} ${unit.slice('of '.length)}`;
  }
}

function stepped(value: number, base: number, names: readonly string[]): string {
  let rank = 0;
  let scaled = value;
  // 999.6 would be rounded to 1000: use the next unit.
  while (rank < names.length - 1 && scaled >= base - 0.5) {
    scaled /= base;
    rank++;
  }
  const name = names[rank];
  return name === '' ? threeDigits(scaled) : `${threeDigits(scaled)} ${name}`;
}

function seconds(value: number): string {
  if (value === 0) return '0 s';
  const [size, name] =
    LONG_SECONDS.find(([from]) => value >= from * 2) ??
    SMALL_SECONDS.find(([from]) => value >= from) ??
    SMALL_SECONDS[SMALL_SECONDS.length - 1];
  return `${threeDigits(value / size)} ${name}`;
}

/** Formats at most three significant digits without trailing zeros; scientific below a thousandth. */
function threeDigits(value: number): string {
  if (value === 0) return '0';
  if (value < 1e-3) return value.toExponential(1);
  if (value >= 99.95) return Math.round(value).toString();
  return Number(value.toPrecision(3)).toString();
}
