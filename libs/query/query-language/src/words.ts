const METRIC = /^[A-Za-z][A-Za-z0-9_.]*$/;
const KEYWORD = /^(?:and|or|not|in)$/i;
const BARE_CHARACTER = /^[A-Za-z0-9_\-:./]$|^[^\p{ASCII}\s\p{Cc}\p{Cs}]$/u;
const BARE_WORD = /^(?:[A-Za-z0-9_\-:./]|[^\p{ASCII}\s\p{Cc}\p{Cs}])+$/u;

/** Returns true for a character that a tag may have without quotes; `*` is not among them, because it is a wildcard. */
export function isBareCharacter(character: string): boolean {
  return BARE_CHARACTER.test(character);
}

/** Returns true for a word that is a keyword between tags, and so needs quotes as a tag. */
export function isKeyword(word: string): boolean {
  return KEYWORD.test(word);
}

/** Prints a metric's name for a query: quoted when it has characters that Datadog does not allow. */
export function writeMetric(metric: string): string {
  return METRIC.test(metric) ? metric : quote(metric);
}

/** Prints a tag, key or value for a filter: quoted where needed. */
export function writeWord(word: string): string {
  return BARE_WORD.test(word) && !isKeyword(word) ? word : quote(word);
}

/** Prints `key:pattern` with the wildcards bare and everything else quoted where needed. */
export function writePattern(key: string, pattern: string): string {
  return `${key}:${pattern}`
    .split('*')
    .map((part) => (part === '' || BARE_WORD.test(part) ? part : quote(part)))
    .join('*');
}

function quote(text: string): string {
  return `"${text.replace(/["\\\p{Cc}]/gu, escaped)}"`;
}

/** Control characters by the letter that stands for them after a backslash in a string. */
export const CONTROL_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  const letter = Object.keys(CONTROL_ESCAPES).find((one) => CONTROL_ESCAPES[one] === character);
  return letter === undefined ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : `\\${letter}`;
}
