import type { SlicedWork, TidemarkError } from '@tidemark/ports';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  endOfSpace,
  endOfText,
  OPEN_LIST,
  OPEN_OBJECT,
  parseElements,
  QUOTE,
} from './json-body.ts';
import { malformed } from './request-refusal.ts';

/** How much of a body is read between two pauses, and how much of it is parsed at once at most, bytes. */
export interface PieceSizes {
  readonly sliceBytes: number;
  /** Bytes of an element without its points, and of the body without its list. */
  readonly elementBytes: number;
}

/** Bytes are compared in a tenth of the time of other work. */
const COMPARED_SLICES = 10;

/** A part of a list, between commas of it or its brackets. */
export interface ListPart {
  /** Position of the comma or bracket behind it, or the end of the body. */
  readonly end: number;
  /** Start of its last element. */
  readonly last: number;
}

/**
 * Finds the end of the list, or the first comma between its elements that is at least a slice behind `from`, or the end of
 * the body.
 */
export function* listPart(body: Buffer, from: number, { sliceBytes }: PieceSizes): SlicedWork<ListPart> {
  let depth = 0;
  let last = from;
  let pauseAt = from + sliceBytes * COMPARED_SLICES;
  for (let at = from; at < body.length; at++) {
    if (at >= pauseAt) {
      yield;
      pauseAt = at + sliceBytes * COMPARED_SLICES;
    }
    const byte = body[at];
    if (byte === QUOTE) at = endOfText(body, at + 1);
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (depth-- === 0) return { end: at, last };
    } else if (byte === COMMA && depth === 0) {
      if (at - from >= sliceBytes) return { end: at, last };
      last = at + 1;
    }
  }
  return { end: body.length, last };
}

/** Passes the parts of the list that begins at `list` to `take`, which returns their elements. Returns the end of the list. */
export function* eachPiece(
  body: Buffer,
  list: number,
  sizes: PieceSizes,
  name: string,
  take: (from: number, part: ListPart) => SlicedWork<number> | number,
): SlicedWork<{ readonly end: number; readonly count: number }> {
  let at = list;
  let count = 0;
  for (;;) {
    const part = yield* listPart(body, at, sizes);
    const isOver = body[part.end] !== COMMA;
    const work = take(at, part);
    const taken = typeof work === 'number' ? work : yield* work;
    // The parser accepts a list without elements, which is wrong before and after a comma.
    if (taken === 0 && !(isOver && count === 0)) throw commaAlone(name);
    count += taken;
    if (isOver) return { end: part.end, count };
    at = part.end + 1;
    yield;
  }
}

export function commaAlone(name: string): TidemarkError {
  return malformed('JSON', `${name}: a comma without an element`);
}

const POINTS = Buffer.from('"points"');

/**
 * Finds the list `points` of the object in [from, to): the positions of its brackets. Undefined where the object has none, or
 * several.
 */
export function* pointsList(
  body: Buffer,
  from: number,
  to: number,
  { sliceBytes }: PieceSizes,
): SlicedWork<{ readonly open: number; readonly close: number } | undefined> {
  let depth = 0;
  let open = -1;
  let close = -1;
  let pauseAt = from + sliceBytes * COMPARED_SLICES;
  for (let at = from; at < to; at++) {
    if (at >= pauseAt) {
      yield;
      pauseAt = at + sliceBytes * COMPARED_SLICES;
    }
    const byte = body[at];
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      if (--depth === 1 && open >= 0 && close < 0) close = at;
    } else if (byte === QUOTE) {
      const end = endOfText(body, at + 1);
      if (depth === 1 && POINTS.equals(body.subarray(at, end + 1))) {
        const colon = endOfSpace(body, end + 1);
        const list = endOfSpace(body, colon + 1);
        if (body[colon] === COLON) {
          if (open >= 0 || body[list] !== OPEN_LIST) return undefined;
          open = list;
        }
      }
      at = end;
    }
  }
  return open >= 0 && close >= 0 && body[close] === CLOSE_LIST ? { open, close } : undefined;
}

/** Parses one element that was cut out of a body: [from, before] and [after, to). */
export function parseWithout(body: Buffer, from: number, before: number, after: number, to: number): unknown {
  const text = Buffer.concat([body.subarray(from, before + 1), body.subarray(after, to)]);
  return parseElements(text, 0, text.length)[0];
}
