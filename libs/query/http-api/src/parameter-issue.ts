import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What to give for each field, for a message about a missing one. */
const GIVE: Readonly<Record<string, string>> = {
  query: 'a query, such as avg:system.load.1{*}',
  from: 'seconds since 1970',
  to: 'seconds since 1970',
  from_ms: 'milliseconds since 1970',
  to_ms: 'milliseconds since 1970',
  'data.attributes.from': 'milliseconds since 1970',
  'data.attributes.to': 'milliseconds since 1970',
  q: 'metrics:TEXT',
  metric: 'the name of a metric',
  body: 'a JSON object',
};
/** The library's types, in words. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  record: 'an object of strings',
  object: 'a JSON object',
};
const SHOWN_CHARS = 40;

/** Returns the field of an issue, and the issue as `field: found (limit: …)`. `values` are the checked ones. */
export function describeIssue(issue: Issue, values: unknown): { readonly field: string; readonly message: string } {
  const field = issue.path.join('.') || 'body';
  return { field, message: `${field}: ${wording(issue, field, valueAt(issue, values))}` };
}

/** Messages of the schemas are kept. The library's own ones name its types, which a caller does not know. */
function wording(issue: Issue, field: string, value: unknown): string {
  if (issue.code === 'unrecognized_keys') return `unknown field ${shown(issue.keys[0])}`;
  if (issue.code !== 'invalid_type' || issue.expected === 'undefined') return issue.message;
  if (value === undefined || value === null)
    return `missing; give ${GIVE[field] ?? TYPES[issue.expected] ?? 'a value'}`;
  if (Array.isArray(value) && issue.expected === 'string') return 'several values (limit: one)';
  return `${shown(value)} (limit: ${TYPES[issue.expected] ?? issue.expected})`;
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, SHOWN_CHARS) ?? typeof value;
}

function valueAt({ path }: Issue, values: unknown): unknown {
  let value = values;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
