import { TidemarkError, unreachable } from '@tidemark/ports';
import type { TagFilter } from './ast.ts';

/**
 * Returns true when a filter selects a series with these tags; every index must agree with it. A key may have several
 * values: a condition holds when one of them meets it, and its negation when none does. `key:N/A` also selects series
 * without the key, as the group of that name has them.
 */
export function matchesFilter(filter: TagFilter, tags: readonly string[]): boolean {
  switch (filter.type) {
    case 'all':
      return true;
    case 'tag':
      return tags.includes(filter.tag) || lacksKey(filter.tag, tags);
    case 'pattern': {
      const prefix = `${filter.key}:`;
      return tags.some((tag) => tag.startsWith(prefix) && matchesPattern(filter.pattern, tag.slice(prefix.length)));
    }
    case 'in':
      return filter.values.some((value) => matchesFilter({ type: 'tag', tag: `${filter.key}:${value}` }, tags));
    case 'not':
      return !matchesFilter(filter.filter, tags);
    case 'and':
      return filter.filters.every((part) => matchesFilter(part, tags));
    case 'or':
      return filter.filters.some((part) => matchesFilter(part, tags));
    default:
      return unreachable(filter);
  }
}

/** The value of a group of the series that lack a key. */
export const NO_VALUE = 'N/A';

/** Returns the key that series have to lack for a tag to select them; undefined for all but `key:N/A`. */
export function lackedKey(tag: string): string | undefined {
  const colon = tag.indexOf(':');
  return colon >= 0 && tag.slice(colon + 1) === NO_VALUE ? tag.slice(0, colon) : undefined;
}

function lacksKey(tag: string, tags: readonly string[]): boolean {
  const key = lackedKey(tag);
  return key !== undefined && !tags.some((other) => other.startsWith(`${key}:`));
}

/**
 * Returns true when `text` matches `pattern`, in which each `*` is any run of characters. Each part between two stars
 * is matched at its first place, so the time is that of one search per part for any pattern.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0];
  if (parts.length === 1) return first === text;
  const last = parts[parts.length - 1];
  if (first.length + last.length > text.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** Default limit of the groups of one series. */
export const DEFAULT_GROUPS_OF_SERIES = 1000;

/**
 * Returns the groups of a series, each as the `key:value` of every key: `key:N/A` for a key without a value, and
 * several groups for a key with several values. Throws `resource_exhausted` beyond `maxGroups`.
 */
export function groupTags(
  groupBy: readonly string[],
  tags: readonly string[],
  maxGroups: number = DEFAULT_GROUPS_OF_SERIES,
): string[][] {
  let groups: string[][] = [[]];
  for (const key of groupBy) {
    const found = tags.filter((tag) => tag.startsWith(`${key}:`));
    const values = found.length === 0 ? [`${key}:${NO_VALUE}`] : found;
    if (groups.length * values.length > maxGroups) {
      throw new TidemarkError(
        'resource_exhausted',
        `a series is in too many groups (limit: ${maxGroups}); group by fewer tags, of which it has fewer values`,
        {
          field: 'group_by',
          limit: maxGroups,
        },
      );
    }
    groups = groups.flatMap((group) => values.map((value) => [...group, value]));
  }
  return groups;
}
