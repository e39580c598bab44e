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

/** What the name of a sample has after that of its family. */
const SUFFIXES = [...new Set(Object.values(ROLES).flatMap((roles) => Object.keys(roles)))];

/** Returns whether samples of this name belong to a family. */
export function isMember(name: string, family: Family): boolean {
  return name.startsWith(family.name) && Object.hasOwn(ROLES[family.type], name.slice(family.name.length));
}

/** Returns the family that samples of this name belong to, among families by name; undefined for none. */
export function familyOf(name: string, families: ReadonlyMap<string, Family>): Family | undefined {
  for (const suffix of SUFFIXES) {
    if (!name.endsWith(suffix)) continue;
    const family = families.get(name.slice(0, name.length - suffix.length));
    if (family !== undefined && isMember(name, family)) return family;
  }
  return undefined;
}

/** Returns the role of a sample of a family; without one it is not known. */
export function roleOf(name: string, family: Family | undefined): SampleRole {
  return family === undefined ? 'reading' : ROLES[family.type][name.slice(family.name.length)];
}

export function isFamilyType(word: string): word is FamilyType {
  return (FAMILY_TYPES as readonly string[]).includes(word);
}
