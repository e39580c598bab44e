import type { SlicedWork, TidemarkError } from '@tidemark/ports';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  checkSize,
  endOfSpace,
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
import { commaAlone, eachPiece, type ListPart, type PieceSizes, parseWithout, pointsList } from './json-pieces.ts';
import type { DatadogLimits } from './limits.ts';
import { malformed } from './request-refusal.ts';

const SERIES = Buffer.from('"series"');
/** Stands for a series in the rest of the body. */
const STAND_IN = '0';

/** Receives the elements of a list. */
export interface ElementReader {
  /** Takes an element. */
  take(element: unknown): void;
  /** Refuses an element that is not parsed, since it has more than `bytes` without its list `points`. */
  refuse(bytes: number): void;
  /** Takes an element whose `points` are too many to be parsed at once; without it, such elements are refused. */
  readonly inPieces?: {
    /** Begins it; `points` is empty. */
    begin(element: Readonly<Record<string, unknown>>): void;
    points(points: readonly unknown[]): void;
    end(): void;
  };
}

/**
 * Passes each element of the list `series` of a body to `reader`. A large body is parsed some elements at a time, with pauses;
 * then the rest of it is parsed, so that it is refused for the same bytes as by one parser. Throws `invalid_argument` for a body
 * of another form, or with a long rest; `reader` has received series by then.
 */
export function* eachSeries(
  body: Buffer,
  limits: DatadogLimits,
  reader: ElementReader,
  sliceBytes = SLICE_BYTES,
): SlicedWork<void> {
  const { jsonElementBytes: elementBytes } = limits;
  if (body.length <= sliceBytes) {
    for (const one of listIn(parseJsonBody(body, limits))) reader.take(one);
    return;
  }
  yield* checkSize(body, limits, sliceBytes);
  const list = seriesList(body.subarray(0, elementBytes));
  // A large body without the list is not parsed, and neither is one with an escaped name of it, which no client sends.
  if (list === undefined) {
    throw malformed(
      'JSON',
      `series: expected a list${body.length > elementBytes ? ` in the first ${elementBytes} bytes` : ''}`,
    );
  }
  const { rest, count } = yield* eachElement(body, list, reader, { sliceBytes, elementBytes }, 'series');
  if (listIn(rest).length !== count) throw malformed('JSON', 'series: given more than once');
}

/**
 * Passes each element of a body that is a list to `reader`, as `eachSeries`; the body itself when it is not a list.
 */
export function* eachOfList(
  body: Buffer,
  limits: DatadogLimits,
  reader: ElementReader,
  sliceBytes = SLICE_BYTES,
): SlicedWork<void> {
  const { jsonElementBytes: elementBytes } = limits;
  const open = endOfSpace(body, 0);
  const isList = body[open] === OPEN_LIST;
  if (body.length <= (isList ? sliceBytes : elementBytes)) {
    for (const one of listOf(parseJsonBody(body, limits))) reader.take(one);
    return;
  }
  if (!isList) throw tooMuch('body', elementBytes);
  yield* checkSize(body, limits, sliceBytes);
  yield* eachElement(body, open + 1, reader, { sliceBytes, elementBytes }, 'body');
}

/**
 * Passes the elements of the list that begins at `list` to `reader`, some at a time. Returns their number and the rest of the
 * body, in which a number stands for each of them.
 */
function* eachElement(
  body: Buffer,
  list: number,
  reader: ElementReader,
  sizes: PieceSizes,
  name: string,
): SlicedWork<{ readonly rest: unknown; readonly count: number }> {
  const { end, count } = yield* eachPiece(body, list, sizes, name, (from, part) =>
    takeElements(body, from, part, reader, sizes, name),
  );
  if (list + body.length - end > sizes.elementBytes) throw tooMuch(name, sizes.elementBytes);
  const rest = [body.subarray(0, list), Buffer.from(Array(count).fill(STAND_IN).join(',')), body.subarray(end)];
  return { rest: parse(Buffer.concat(rest)), count };
}

/** Passes the elements of a part of a list on; returns their number. */
function* takeElements(
  body: Buffer,
  from: number,
  { end, last }: ListPart,
  reader: ElementReader,
  sizes: PieceSizes,
  name: string,
): SlicedWork<number> {
  const take = (at: number, to: number): number => {
    const elements = parseElements(body, at, to);
    for (const one of elements) reader.take(one);
    return elements.length;
  };
  if (end - last <= sizes.elementBytes) return take(from, end);
  const before = last === from ? 0 : take(from, last - 1);
  yield;
  const start = endOfSpace(body, last);
  if (end - start <= sizes.elementBytes) {
    const found = take(Math.min(start, end), end);
    if (found === 0 && before > 0) throw commaAlone(name);
    return before + found;
  }
  yield* takeLarge(body, start, end, reader, sizes);
  return before + 1;
}

/** Passes an element on that is too large to be parsed at once. */
function* takeLarge(
  body: Buffer,
  from: number,
  to: number,
  reader: ElementReader,
  sizes: PieceSizes,
): SlicedWork<void> {
  const { elementBytes } = sizes;
  const points = reader.inPieces && (yield* pointsList(body, from, to, sizes));
  if (
    reader.inPieces === undefined ||
    points === undefined ||
    to - from - (points.close - points.open) > elementBytes
  ) {
    reader.refuse(elementBytes);
    return;
  }
  const element = parseWithout(body, from, points.open, points.close, to);
  // A name of it may be written in another way.
  if (!isObject(element) || !Array.isArray(element.points) || element.points.length > 0) {
    throw malformed('JSON', 'series: points are given more than once');
  }
  reader.inPieces.begin(element);
  const { points: take } = reader.inPieces;
  yield* eachPiece(body, points.open + 1, sizes, 'points', (start, { end }) => {
    if (end - start > sizes.sliceBytes + elementBytes) throw tooMuch('points', elementBytes);
    const pointsOfPart = parseElements(body, start, end);
    take(pointsOfPart);
    return pointsOfPart.length;
  });
  reader.inPieces.end();
}

function tooMuch(name: string, bytes: number): TidemarkError {
  return malformed('JSON', `${name}: more than ${bytes} bytes that are not elements of a list`);
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
      const colon = endOfSpace(body, end + 1);
      const open = endOfSpace(body, colon + 1);
      const isName = depth === 1 && body[colon] === COLON && SERIES.equals(body.subarray(at, end + 1));
      if (isName && body[open] === OPEN_LIST) return open + 1;
      at = end;
    }
  }
  return undefined;
}
