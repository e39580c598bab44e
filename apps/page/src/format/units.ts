/** What a number measures; `bytes` and `bytes/s` are written in powers of 1,024, the others in powers of 1,000. */
export type UnitName = 'none' | 'percent' | 'bytes' | 'bytes/s' | 'seconds' | '/s';

/** How the values of a metric become ones of a unit. */
export interface Unit {
  readonly name: UnitName;
  /** Multiply a stored value by this. */
  readonly scale: number;
}

export const NO_UNIT: Unit = { name: 'none', scale: 1 };

const KIB = 1_024;
const MIB = 1_024 * 1_024;

/** The host checks report in the units that Datadog's agent has; the first pattern that matches decides. */
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

/** The unit of a metric, by its name; functions and arithmetic around it are the caller's to think of. */
export function unitOfMetric(metric: string): Unit {
  return UNITS.find(([pattern]) => pattern.test(metric))?.[1] ?? NO_UNIT;
}
