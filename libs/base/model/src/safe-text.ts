/** Control characters (C0, DEL and C1), line separators, marks of direction, and halves of surrogate pairs. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Spreadsheets run a cell that begins so; in some languages wide letters count too. */
const RUN_AS_FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const NUMBER = /^[-+]?(\d+(?:\.\d*)?|\.\d+)(e[-+]?\d+)?$/i;

/**
 * Escapes the characters of a received text that show as nothing, move the cursor or recolor a terminal, end a line, or
 * reorder what is around them. The result is one line.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** As `printable`, but keeps line feeds: for texts of several lines of one's own, and for JSON, which stays the same data. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (char) => (char === '\n' ? char : escaped(char)));
}

/**
 * A cell of CSV (RFC 4180), printable and quoted where that is needed. An apostrophe before the first letter keeps
 * spreadsheets from running a text; a number stays one.
 */
export function csvCell(text: string): string {
  const isRun = RUN_AS_FORMULA.test(text) && !NUMBER.test(text);
  const safe = printable(isRun ? `'${text}` : text);
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function escaped(char: string): string {
  return SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
