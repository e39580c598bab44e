const METRIC = /^[A-Za-z][A-Za-z0-9_.]*$/;
const KEYWORD = /^(?:and|or|not|in)$/i;
const BARE_CHARACTER = /^[A-Za-z0-9_\-:./]$|^[^\p{ASCII}\s\p{Cc}\p{Cs}]$/u;
const BARE_WORD = /^(?:[A-Za-z0-9_\-:./]|[^\p{ASCII}\s\p{Cc}\p{Cs}])+$/u;

/** True for a character that a tag may have without quotes; `*` is apart, for it is a wildcard. */
export function isBareCharacter(character: string): boolean {
  return BARE_CHARACTER.test(character);
}

/** True for a word that means something between tags, and so needs quotes to be one. */
export function isKeyword(word: string): boolean {
  return KEYWORD.test(word);
}

/** A metric's name as it stands in a query: quoted when it has other characters than Datadog allows. */
export function writeMetric(metric: string): string {
  return METRIC.test(metric) ? metric : quote(metric);
}

/** A tag, key or value as it stands in a filter: quoted where needed. */
export function writeWord(word: string): string {
  return BARE_WORD.test(word) && !isKeyword(word) ? word : quote(word);
}

/** `key:pattern` with the wildcards bare and everything else quoted where needed. */
export function writePattern(key: string, pattern: string): string {
  return `${key}:${pattern}`
    .split('*')
    .map((part) => (part === '' || BARE_WORD.test(part) ? part : quote(part)))
    .join('*');
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
