import { parseFields, printFields, type QueryFields, SIMPLE_QUERY } from './query-text.ts';

/** The content of the builder: queries named a, b, c … by their order, and what is computed from them. */
export interface QueryRows {
  readonly rows: readonly QueryFields[];
  /** An expression over the names, such as `100 * a / b`; empty when each query has its own lines. */
  readonly formula: string;
}

export const MOST_ROWS = 26;

/** Returns the name of a row: `a` for the first. */
export function nameOfRow(at: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + at);
}

/** What a formula may have around its names: text in quotes and keys in braces are not names. */
const PIECE = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*|[0-9.]+(?:e[+-]?[0-9]+)?|./gisu;
const NAME = /^[a-z]$/;

/** Parses a text into rows and a formula; undefined when a query in it has more than the fields of a row can show. */
export function parseRows(text: string): QueryRows | undefined {
  if (text.trim() === '') return { rows: [], formula: '' };
  const texts: string[] = [];
  const formula = text.trim().replace(SIMPLE_QUERY, (query) => {
    if (!texts.includes(query)) texts.push(query);
    return nameOfRow(texts.indexOf(query));
  });
  const rows = texts.map(parseFields).filter((row) => row !== undefined);
  if (rows.length === 0 || rows.length < texts.length || rows.length > MOST_ROWS) return undefined;
  // A metric that is still there is a query that the fields can't show.
  if (/[^\s"'({,]\s*\{|:/.test(formula.replace(/\bby\s*\{/gi, ' ').replace(/'[^']*'/g, ''))) return undefined;
  return { rows, formula: formula === defaultFormula(rows.length) ? '' : formula };
}

/** Prints the rows as one text. A query that the formula does not use has its own lines; so has each without a formula. */
export function printRows({ rows, formula }: QueryRows): string {
  const texts = rows.map(printFields);
  const used = namesIn(formula);
  const composed = piecesOf(formula)
    .map((piece) => (NAME.test(piece) ? (texts[rowOf(piece)] ?? piece) : piece))
    .join('');
  const others = texts.filter((text, at) => text !== '' && !used.includes(nameOfRow(at)));
  return [composed.trim(), ...others].filter((text) => text !== '').join(', ');
}

/** Returns the names of a formula that stand for no row. */
export function unknownNames({ rows, formula }: QueryRows): readonly string[] {
  return namesIn(formula).filter((name) => rowOf(name) >= rows.length);
}

/** Puts a function around each use of the formula: `top(a / b, 10)`. */
export function withFunction({ rows, formula }: QueryRows, name: string, args: string): string {
  const operand = formula === '' ? nameOfRow(0) : formula;
  const call = `${name}(${operand}${args === '' ? '' : `, ${args}`})`;
  return rows.length === 0 ? '' : call;
}

function defaultFormula(rows: number): string {
  return Array.from({ length: rows }, (_, at) => nameOfRow(at)).join(', ');
}

function piecesOf(formula: string): readonly string[] {
  return formula.match(PIECE) ?? [];
}

function namesIn(formula: string): readonly string[] {
  return [...new Set(piecesOf(formula).filter((piece) => NAME.test(piece)))];
}

function rowOf(name: string): number {
  return name.charCodeAt(0) - 'a'.charCodeAt(0);
}
