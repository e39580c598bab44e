import { utf8Text } from '@tidemark/bytes';
import { finishAtOnce, type SlicedWork } from '@tidemark/ports';
import type { DatadogLimits } from './limits.ts';
import { malformed, tooLarge, wrongBody } from './request-refusal.ts';

/** Bytes of a body that are read between two pauses: some milliseconds of work. */
export const SLICE_BYTES = 64 * 1024;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

/**
 * Parses a body of JSON, after its nesting and its number of values were checked. Throws `invalid_argument` for a body
 * beyond these limits, and for bytes that are not JSON.
 */
export function parseJsonBody(body: Buffer, limits: DatadogLimits): unknown {
  finishAtOnce(checkSize(body, limits));
  return parse(body);
}

/** Parses JSON. Throws `invalid_argument` for bytes that are not. */
export function parse(body: Buffer): unknown {
  if (body.length === 0) throw wrongBody(JSON_LIMIT, 'empty');
  return parseText(utf8Text(body), 0);
}

/** Parses the elements of a list in [from, to), between its brackets. */
export function parseElements(body: Buffer, from: number, to: number): readonly unknown[] {
  // The bracket is one character before the elements.
  const list = parseText(`[${utf8Text(body.subarray(from, to))}]`, from - 1);
  return Array.isArray(list) ? list : [];
}

/** Parses a text that is at `offset` of the body. */
function parseText(text: string, offset: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's message quotes text around the wrong character, and a body may be private.
    const [where, position] = /^Unexpected token '.+?'|^Unexpected end|at position (\d+)/.exec(error.message) ?? [''];
    throw wrongBody(JSON_LIMIT, notJson(position === undefined ? where : `at position ${offset + Number(position)}`));
  }
}

const JSON_LIMIT = 'JSON of a metric payload';

/** `not JSON at position 1`, or with the parser's word about the token, which is at most one character of the body. */
function notJson(where: string): string {
  if (where === '') return 'not JSON';
  return where.startsWith('at ') ? `not JSON ${where}` : `not JSON: ${where}`;
}

/** Checks nesting and number of values before they use memory. The parser checks whether the body is JSON. */
export function* checkSize(body: Buffer, limits: DatadogLimits, sliceBytes = body.length): SlicedWork<void> {
  let depth = 0;
  let values = 1;
  // Only bytes are compared here, which takes a tenth of the time of other work.
  let pauseAt = sliceBytes * 10;
  for (let at = 0; at < body.length; at++) {
    if (at >= pauseAt) {
      yield;
      pauseAt = at + sliceBytes * 10;
    }
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
export function endOfText(body: Buffer, from: number): number {
  for (let at = from; at < body.length; at++) {
    if (body[at] === QUOTE) return at;
    if (body[at] === BACKSLASH) at++;
  }
  return body.length;
}

/** Returns the position of the first byte from `from` on that is not white space, or the end of the body. */
export function endOfSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at] <= SPACE) at++;
  return at;
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
