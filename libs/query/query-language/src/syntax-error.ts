import { type ErrorDetail, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** Characters of the query that are shown on each side of the error. */
const EXCERPT_SIDE = 40;

/**
 * Creates the error for text at code unit `at`: `invalid_argument` whose detail has the 1-based `column` in characters,
 * `found`, `expected`, a `caret` (the query around the error, and below it a line that points to it), and a
 * `suggestion` where a name was nearly right.
 */
export function syntaxError(
  query: string,
  at: number,
  found: string,
  expected: string,
  suggestion?: string,
): TidemarkError {
  const column = [...query.slice(0, at)].length + 1;
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const detail: ErrorDetail = { field: 'query', column, found, expected, caret: caretLines(query, at) };
  return new TidemarkError(
    'invalid_argument',
    `query, column ${column}: found ${found}, expected ${expected}${hint}`,
    suggestion === undefined ? detail : { ...detail, suggestion },
  );
}

/** The error for a function at code unit `at` that Datadog has and this language has not, with the same detail. */
export function missingFunction(query: string, at: number, name: string): TidemarkError {
  const column = [...query.slice(0, at)].length + 1;
  const detail: ErrorDetail = {
    ...{ field: 'query', column, found: name, caret: caretLines(query, at) },
    expected: 'another function',
  };
  const message = `query, column ${column}: ${name} is a Datadog function that Tidemark does not have yet`;
  return new TidemarkError('invalid_argument', message, detail);
}

/** Runs `parse`; an error that names the field that it parses names `field` instead. */
export function inField<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    const { message, detail } = error;
    if (typeof detail.field !== 'string' || !message.startsWith(detail.field)) throw error;
    const named = `${field}${message.slice(detail.field.length)}`;
    throw new TidemarkError('invalid_argument', named, { ...detail, field });
  }
}

function caretLines(query: string, at: number): string {
  const before = [...query.slice(0, at)].slice(-EXCERPT_SIDE);
  const after = [...query.slice(at)].slice(0, EXCERPT_SIDE);
  const excerpt = [...before, ...after].join('').replace(/[\s\p{Cc}]/gu, ' ');
  return `${excerpt}\n${' '.repeat(before.length)}^`;
}
