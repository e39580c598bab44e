/**
 * Unit of a number. `bytes` and `bytes/s` use powers of 1,024, the others powers of 1,000. `of request` is any other
 * unit, by its name.
 */
export type UnitName = 'none' | 'percent' | 'bytes' | 'bytes/s' | 'seconds' | '/s' | `of ${string}`;

/** A unit, and how to convert stored values to it. */
export interface Unit {
  readonly name: UnitName;
  /** Factor for stored values. */
  readonly scale: number;
}

export const NO_UNIT: Unit = { name: 'none', scale: 1 };

const KIB = 1_024;
const MIB = 1_024 * 1_024;

/** Units by metric; the first matching pattern decides. The host checks report in the units of Datadog's agent. */
const UNITS: readonly (readonly [RegExp, Unit])[] = [
  [/^system\.cpu\.num_cores$/, NO_UNIT],
  [/^system\.cpu\./, { name: 'percent', scale: 1 }],
  [/^system\.(?:mem|swap)\.pct_/, { name: 'percent', scale: 100 }],
  [/^system\.(?:mem|swap)\./, { name: 'bytes', scale: MIB }],
  [/^system\.disk\.in_use$/, { name: 'percent', scale: 100 }],
  [/^system\.disk\.(?:total|used|free)$/, { name: 'bytes', scale: KIB }],
  [/^system\.io\.(?:rkb_s|wkb_s)$/, { name: 'bytes/s', scale: KIB }],
  [/^system\.io\.[rw]_s$/, { name: '/s', scale: 1 }],
  [/^system\.io\.util$/, { name: 'percent', scale: 1 }],
  [/^system\.io\.(?:[rw]_)?await$/, { name: 'seconds', scale: 0.001 }],
  [/^system\.net\.bytes_/, { name: 'bytes/s', scale: 1 }],
  [/^system\.net\.packets_/, { name: '/s', scale: 1 }],
  [/^system\.uptime$/, { name: 'seconds', scale: 1 }],
  [/(?:^|[._])bytes$/, { name: 'bytes', scale: 1 }],
  [/(?:^|[._])(?:pct|percent)$/, { name: 'percent', scale: 1 }],
  [/(?:^|[._])seconds$/, { name: 'seconds', scale: 1 }],
];

/** Returns the unit of a metric by its name. The caller must consider functions and arithmetic around the metric. */
export function unitOfMetric(metric: string): Unit {
  return UNITS.find(([pattern]) => pattern.test(metric))?.[1] ?? NO_UNIT;
}
