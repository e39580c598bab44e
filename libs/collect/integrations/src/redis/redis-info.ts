/** Parses the fields of an `INFO` reply, in its order; headings of sections are left out. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1).trimEnd());
  }
  return fields;
}

/** Parses the parts of a field such as `keys=3,expires=1`. */
export function parseParts(value: string): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const part of value.split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) parts.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return parts;
}

/** Returns a field as a number; undefined when it is absent or not a number. */
export function numberOf(fields: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = fields.get(name);
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
