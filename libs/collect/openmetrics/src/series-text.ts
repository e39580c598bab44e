import type { SampleRole } from './family.ts';

/** A series as a line names it. */
export interface ParsedSeries {
  readonly name: string;
  /** Pairs of name and value, in the order of the line; labels with an empty value are left out. */
  readonly labels: readonly (readonly [name: string, value: string])[];
}

/** A series with the kind of its values. Series of creation times are left out before. */
export interface TypedSeries extends ParsedSeries {
  readonly kind: Exclude<SampleRole, 'created'>;
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Returns true for a space or a tab. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Returns the first position in [from, to) that is not a blank; `to` when there is none. */
export function skipBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Returns the end of the series that begins at `from`: after its `}` or name; -1 for an unclosed brace or quote. */
export function endOfSeries(text: string, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const code = text.charCodeAt(at);
    if (code === OPEN) return endOfLabels(text, at, to);
    if (isBlank(code)) break;
    at++;
  }
  const next = skipBlanks(text, at, to);
  return next < to && text.charCodeAt(next) === OPEN ? endOfLabels(text, next, to) : at;
}

/** Returns the end of the labels that begin with the `{` at `from`; -1 when they are not closed. */
export function endOfLabels(text: string, from: number, to: number): number {
  let quoted = false;
  for (let at = from + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (code === BACKSLASH && quoted) at++;
    else if (code === CLOSE && !quoted) return at + 1;
  }
  return -1;
}

/** Parses the text of a series, or returns the reason why it is invalid. */
export function parseSeries(text: string): ParsedSeries | string {
  const brace = text.indexOf('{');
  let name = (brace < 0 ? text : text.slice(0, brace)).trimEnd();
  // A set in addition to the list, because a line may have thousands of labels.
  const known = new Set<string>();
  const labels: [string, string][] = [];
  let isQuoted = false;
  if (brace >= 0) {
    const pairs = parseLabels(text, brace);
    if (typeof pairs === 'string') return pairs;
    for (const [label, value] of pairs) {
      if (label === undefined) {
        // A quoted metric name is inside the braces, and may have any characters.
        if (name !== '' || value === '') return 'name_invalid';
        name = value;
        isQuoted = true;
        continue;
      }
      if (known.has(label)) return 'label_repeated';
      known.add(label);
      if (value !== '') labels.push([label, value]);
    }
  }
  return isQuoted || METRIC_NAME.test(name) ? { name, labels } : 'name_invalid';
}

/** Parses the pairs between braces; the label of a quoted metric name is undefined. The text ends with the `}`. */
export function parseLabels(text: string, brace: number): [label: string | undefined, value: string][] | string {
  const to = text.length - 1;
  const pairs: [string | undefined, string][] = [];
  let at = skipBlanks(text, brace + 1, to);
  while (at < to) {
    let label: string;
    if (text.charCodeAt(at) === QUOTE) {
      const end = endOfQuoted(text, at);
      label = unescaped(text.slice(at + 1, end - 1));
      at = skipBlanks(text, end, to);
      if (text[at] !== '=') {
        pairs.push([undefined, label]);
        at = afterComma(text, at, to);
        if (at < 0) return 'labels_malformed';
        continue;
      }
      if (label === '') return 'label_name_invalid';
    } else {
      const equals = text.indexOf('=', at);
      if (equals < 0 || equals >= to) return 'labels_malformed';
      label = text.slice(at, equals).trimEnd();
      if (!LABEL_NAME.test(label)) return 'label_name_invalid';
      at = equals;
    }
    at = skipBlanks(text, at + 1, to);
    if (text.charCodeAt(at) !== QUOTE || at >= to) return 'labels_malformed';
    const end = endOfQuoted(text, at);
    pairs.push([label, unescaped(text.slice(at + 1, end - 1))]);
    at = afterComma(text, skipBlanks(text, end, to), to);
    if (at < 0) return 'labels_malformed';
  }
  return pairs;
}

/** Returns the position after the comma at `at` and blanks, or the end; -1 at any other character. */
function afterComma(text: string, at: number, to: number): number {
  if (at >= to) return to;
  return text[at] === ',' ? skipBlanks(text, at + 1, to) : -1;
}

/** Returns the position after the quote that closes the one at `from`. `endOfLabels` has checked that it exists. */
function endOfQuoted(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** Replaces `\\`, `\"` and `\n` by their characters; a backslash before any other character is kept. */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
