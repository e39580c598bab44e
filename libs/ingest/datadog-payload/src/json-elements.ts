import type { SlicedWork } from '@tidemark/ports';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COMMA,
  checkSize,
  endOfText,
  isObject,
  listOf,
  OPEN_LIST,
  OPEN_OBJECT,
  parse,
  parseElements,
  parseJsonBody,
  QUOTE,
  SLICE_BYTES,
} from './json-body.ts';
import type { DatadogLimits } from './limits.ts';
import { malformed } from './request-refusal.ts';

const COLON = 0x3a;
const SPACE = 0x20;
const SERIES = Buffer.from('"series"');
/** Depth within the list: in the object that is the body. */
const SERIES_DEPTH = 2;
/** Stands for a series in the rest of the body. */
const STAND_IN = '0';

/**
 * Passes each element of the list `series` of a body to `take`. A large body is parsed some elements at a
 * time, with pauses; then the rest of it is parsed, so that it is refused for the same bytes as by one parser. Throws `invalid_argument` for a
 * body of another form; `take` has received series by then.
 */
export function* eachSeries(
  body: Buffer,
  limits: DatadogLimits,
  take: (series: unknown) => void,
  sliceBytes = SLICE_BYTES,
): SlicedWork<void> {
  if (body.length <= sliceBytes) {
    for (const one of listIn(parseJsonBody(body, limits))) take(one);
    return;
  }
  yield* checkSize(body, limits, sliceBytes);
  const list = seriesList(body);
  // A large body without the list is not parsed, and neither is one with an escaped name of it, which no client sends.
  if (list === undefined) throw malformed('JSON', 'series: expected a list');
  const { rest, count } = yield* eachElement(body, list, take, sliceBytes, 'series');
  if (listIn(rest).length !== count) throw malformed('JSON', 'series: given more than once');
}

/**
 * Passes each element of a body that is a list to `take`, as `eachSeries`; the body itself when it is not a list.
 */
export function* eachOfList(
  body: Buffer,
  limits: DatadogLimits,
  take: (element: unknown) => void,
  sliceBytes = SLICE_BYTES,
): SlicedWork<void> {
  const open = afterSpace(body, 0);
  if (body.length <= sliceBytes || body[open] !== OPEN_LIST) {
    for (const one of listOf(parseJsonBody(body, limits))) take(one);
    return;
  }
  yield* checkSize(body, limits, sliceBytes);
  yield* eachElement(body, open + 1, take, sliceBytes, 'body');
}

/**
 * Passes the elements of the list that begins at `list` to `take`, some at a time. Returns their number and the rest of the
 * body, in which a number stands for each of them.
 */
function* eachElement(
  body: Buffer,
  list: number,
  take: (element: unknown) => void,
  sliceBytes: number,
  name: string,
): SlicedWork<{ readonly rest: unknown; readonly count: number }> {
  let at = list;
  let count = 0;
  for (let isOver = false; !isOver; ) {
    const end = chunkEnd(body, at, sliceBytes);
    isOver = body[end] !== COMMA;
    const elements = parseElements(body, at, end);
    // The parser accepts a list without elements, which is wrong before and after a comma.
    if (elements.length === 0 && !(isOver && count === 0))
      throw malformed('JSON', `${name}: a comma without an element`);
    for (const one of elements) take(one);
    count += elements.length;
    at = isOver ? end : end + 1;
    yield;
  }
  const rest = [body.subarray(0, list), Buffer.from(Array(count).fill(STAND_IN).join(',')), body.subarray(at)];
  return { rest: parse(Buffer.concat(rest)), count };
}

function listIn(payload: unknown): readonly unknown[] {
  if (!isObject(payload)) throw malformed('JSON', 'expected an object');
  const { series } = payload;
  if (!Array.isArray(series)) throw malformed('JSON', 'series: expected a list');
  return series;
}

/** Returns the position behind the bracket that opens the list `series`; undefined when it is not found. */
function seriesList(body: Buffer): number | undefined {
  let depth = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
    else if (byte === QUOTE) {
      const end = endOfText(body, at + 1);
      const colon = afterSpace(body, end + 1);
      const open = afterSpace(body, colon + 1);
      const isName = depth === 1 && body[colon] === COLON && SERIES.equals(body.subarray(at, end + 1));
      if (isName && body[open] === OPEN_LIST) return open + 1;
      at = end;
    }
  }
  return undefined;
}

/**
 * Returns the position of the bracket that ends the list, or of the first comma between its elements that is `bytes` behind
 * `from`, or the end of the body.
 */
function chunkEnd(body: Buffer, from: number, bytes: number): number {
  let depth = SERIES_DEPTH;
  for (let at = from; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfText(body, at + 1);
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (depth-- === SERIES_DEPTH) return at;
    } else if (byte === COMMA && depth === SERIES_DEPTH && at - from >= bytes) return at;
  }
  return body.length;
}

function afterSpace(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at] <= SPACE) at++;
  return at;
}
