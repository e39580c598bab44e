import type { KindName } from '@tidemark/model';

export const FAMILY_TYPES = [
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
  'untyped',
] as const;

export type FamilyType = (typeof FAMILY_TYPES)[number];

/** The metrics that a `# TYPE` line introduces. One object per name and type, so that identity is equality. */
export interface Family {
  readonly name: string;
  readonly type: FamilyType;
}

/** The kind of a sample, or `created` for a creation time, which is not kept. */
export type SampleRole = Extract<KindName, 'gauge' | 'counter' | 'reading'> | 'created';

type Roles = Readonly<Record<string, SampleRole>>;

/** Roles by type, then by the suffix of a sample's name. Counters of the text format have no suffix of their own. */
const ROLES: Readonly<Record<FamilyType, Roles>> = {
  counter: { '': 'counter', _total: 'counter', _created: 'created' },
  gauge: { '': 'gauge' },
  histogram: { _bucket: 'counter', _count: 'counter', _sum: 'counter', _created: 'created' },
  gaugehistogram: { _bucket: 'gauge', _gcount: 'gauge', _gsum: 'gauge' },
  summary: { '': 'gauge', _count: 'counter', _sum: 'counter', _created: 'created' },
  info: { '': 'gauge', _info: 'gauge' },
  stateset: { '': 'gauge' },
  unknown: {},
  untyped: {},
};

/** Returns the role of a sample under the family of the last `# TYPE`; outside that family it is not known. */
export function roleOf(name: string, family: Family | undefined): SampleRole {
  if (family !== undefined && name.startsWith(family.name)) {
    const roles = ROLES[family.type];
    const suffix = name.slice(family.name.length);
    if (Object.hasOwn(roles, suffix)) return roles[suffix];
  }
  return 'reading';
}

export function isFamilyType(word: string): word is FamilyType {
  return (FAMILY_TYPES as readonly string[]).includes(word);
}
