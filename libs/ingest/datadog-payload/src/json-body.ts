import { utf8Text } from '@tidemark/bytes';
import type { DatadogLimits } from './limits.ts';
import { malformed, tooLarge, wrongBody } from './request-refusal.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses a body of JSON, after its nesting and its number of values were checked. Throws `invalid_argument` for a body
 * beyond these limits, and for bytes that are not JSON.
 */
export function parseJsonBody(body: Buffer, limits: DatadogLimits): unknown {
  checkSize(body, limits);
  return parse(body);
}

/** Returns the list `series` of a body. Throws `invalid_argument` for a body of another form. */
export function parseSeriesList(body: Buffer, limits: DatadogLimits): readonly unknown[] {
  const payload = parseJsonBody(body, limits);
  if (!isObject(payload)) throw malformed('JSON', 'expected an object');
  const { series } = payload;
  if (!Array.isArray(series)) throw malformed('JSON', 'series: expected a list');
  return series;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(utf8Text(body));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's message quotes text around the wrong character, and a body may be private.
    const [where] = /^Unexpected token '.+?'|^Unexpected end|at position \d+/.exec(error.message) ?? [''];
    throw wrongBody(JSON_LIMIT, body.length === 0 ? 'empty' : notJson(where));
  }
}

const JSON_LIMIT = 'JSON of a metric payload';

/** `not JSON at position 1`, or with the parser's word about the token, which is at most one character of the body. */
function notJson(where: string): string {
  if (where === '') return 'not JSON';
  return where.startsWith('at ') ? `not JSON ${where}` : `not JSON: ${where}`;
}

/** Checks nesting and number of values before they use memory. The parser checks whether the body is JSON. */
function checkSize(body: Buffer, limits: DatadogLimits): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case QUOTE:
        at = endOfText(body, at + 1);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > limits.jsonDepth) throw malformed('JSON', `nested more than ${limits.jsonDepth} levels deep`);
        values++;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        values++;
        break;
      default:
    }
    if (values > limits.jsonValues) throw tooLarge('body', limits.jsonValues, 'too many values in one request');
  }
}

/** Returns the position of the closing quote of the text that begins at `from`, or the end of the body. */
function endOfText(body: Buffer, from: number): number {
  for (let at = from; at < body.length; at++) {
    if (body[at] === QUOTE) return at;
    if (body[at] === BACKSLASH) at++;
  }
  return body.length;
}

/** Returns a wrong value for a message. */
export function shownValue(value: unknown): string {
  return (JSON.stringify(value) ?? typeof value).slice(0, SHOWN_CHARS);
}

/** Max characters of a wrong value in a message. */
const SHOWN_CHARS = 40;

/** Returns a value that is not a list as a list of one, so that the value itself is refused. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Returns false for absent and for null: clients write either for a field that they do not set. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
