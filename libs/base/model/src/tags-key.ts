const SEPARATOR = '\0';
const ESCAPE = '\u0001';

/** Returns one text for a list of tags: other tags give another text, and it is ordered as the tags are. */
export function tagsKey(tags: readonly string[]): string {
  const key = tags.join(SEPARATOR);
  // Nearly always the separators alone: then no tag must be escaped.
  return countOf(key) === Math.max(0, tags.length - 1) ? key : tags.map(escaped).join(SEPARATOR);
}

function countOf(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) <= 1) count++;
  return count;
}

function escaped(tag: string): string {
  return tag.replaceAll(ESCAPE, `${ESCAPE}\u0002`).replaceAll(SEPARATOR, `${ESCAPE}${ESCAPE}`);
}
