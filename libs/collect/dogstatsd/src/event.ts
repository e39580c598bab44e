import { isUtf8 } from 'node:buffer';
import type { PointLimits } from '@tidemark/model';
import { parseInteger } from './decimal.ts';
import { splitTags } from './statsd-series-table.ts';

/** An event: `_e{5,4}:title|text|d:…|h:…|k:…|p:…|s:…|t:…|#tags`. */
export interface StatsdEvent {
  readonly title: string;
  readonly text: string;
  /** Undefined when the sender gave no time. */
  readonly timestampMs: number | undefined;
  readonly host: string | undefined;
  readonly aggregationKey: string | undefined;
  readonly priority: 'normal' | 'low';
  readonly source: string | undefined;
  readonly alertType: 'info' | 'success' | 'warning' | 'error';
  readonly tags: readonly string[];
}

const COMMA = 0x2c;
const PIPE = 0x7c;
const CLOSE_BRACE = 0x7d;
const PRIORITIES = ['normal', 'low'] as const;
const ALERT_TYPES = ['info', 'success', 'warning', 'error'] as const;

/**
 * Parses the event in `bytes[from, to)`, which begins with `_e{`; undefined when it is malformed. Its lengths are bytes, or
 * characters as some clients count them. A bad field is left out, and `onBadField` called.
 */
export function parseEvent(
  bytes: Uint8Array,
  from: number,
  to: number,
  limits: PointLimits,
  onBadField: () => void,
): StatsdEvent | undefined {
  const lengthsFrom = from + 3;
  const comma = indexInLine(bytes, COMMA, lengthsFrom, to);
  const brace = indexInLine(bytes, CLOSE_BRACE, lengthsFrom, to);
  if (comma < 0 || brace < comma || bytes[brace + 1] !== 0x3a) return undefined;
  const titleLength = parseInteger(bytes, lengthsFrom, comma);
  const textLength = parseInteger(bytes, comma + 1, brace);
  const titleFrom = brace + 2;
  if (titleLength <= 0 || textLength < 0 || !isUtf8(bytes.subarray(from, to))) return undefined;
  const ends = LENGTHS.map((lengthOf) => endsOf(bytes, titleFrom, to, titleLength, textLength, lengthOf));
  const found = ends.find((one) => one !== undefined);
  if (found === undefined) return undefined;
  const { titleTo, textTo } = found;
  const fields = new Fields(bytes, textTo + 1, to, limits, onBadField);
  return {
    title: text(bytes, titleFrom, titleTo),
    text: text(bytes, titleTo + 1, textTo).replaceAll('\\n', '\n'),
    timestampMs: fields.timestampMs,
    host: fields.get('h:'),
    aggregationKey: fields.get('k:'),
    priority: oneOf(PRIORITIES, fields.get('p:')),
    source: fields.get('s:'),
    alertType: oneOf(ALERT_TYPES, fields.get('t:')),
    tags: fields.tags,
  };
}

/** The bytes of the first `length` units of a text, in each unit that clients count: bytes, UTF-16 units, code points. */
const LENGTHS: readonly ((text: string, length: number) => number)[] = [
  (_, length) => length,
  (text, length) => Buffer.byteLength(text.slice(0, length)),
  (text, length) => Buffer.byteLength(Array.from(text).slice(0, length).join('')),
];

/** Returns where title and text end by one unit of lengths; undefined when no `|` follows there. */
function endsOf(
  bytes: Uint8Array,
  titleFrom: number,
  to: number,
  titleLength: number,
  textLength: number,
  lengthOf: (typeof LENGTHS)[number],
): { titleTo: number; textTo: number } | undefined {
  const titleTo = titleFrom + lengthOf(text(bytes, titleFrom, to), titleLength);
  if (titleTo >= to || bytes[titleTo] !== 0x7c) return undefined;
  const textTo = titleTo + 1 + lengthOf(text(bytes, titleTo + 1, to), textLength);
  return textTo > to || (textTo < to && bytes[textTo] !== 0x7c) ? undefined : { titleTo, textTo };
}

/** Beginnings of the fields that may follow the message of a service check; any other `|` is part of the message. */
const AFTER_MESSAGE = ['d:', 'h:', '#', 'c:', 'e:', 'card:'].map((prefix) => Buffer.from(prefix));

/** Reads no byte behind the end that it returns: a line may have many messages. */
function endOfMessage(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    if (bytes[at] === PIPE && AFTER_MESSAGE.some((prefix) => isAt(bytes, at + 1, to, prefix))) return at;
  }
  return to;
}

function isAt(bytes: Uint8Array, from: number, to: number, wanted: Uint8Array): boolean {
  return from + wanted.length <= to && wanted.every((byte, i) => bytes[from + i] === byte);
}

/** Returns the first place of a byte in `bytes[from, to)`; -1 when it is not there. What follows the line is not read. */
export function indexInLine(bytes: Uint8Array, byte: number, from: number, to: number): number {
  for (let at = from; at < to; at++) if (bytes[at] === byte) return at;
  return -1;
}

function oneOf<T extends string>(values: readonly T[], value: string | undefined): T {
  return values.find((known) => known === value) ?? values[0];
}

/** The optional fields that events and service checks share. */
export class Fields {
  readonly tags: readonly string[] = [];
  readonly timestampMs: number | undefined = undefined;
  readonly #fields: string[] = [];

  /**
   * Reads the fields; bad ones are left out and reported. With `hasMessage`, the text of `m:` may hold `|`. The bytes must be
   * UTF-8.
   */
  constructor(
    bytes: Uint8Array,
    from: number,
    to: number,
    limits: PointLimits,
    onBadField: () => void,
    hasMessage = false,
  ) {
    for (let fieldFrom = from; fieldFrom < to; ) {
      const isMessage = hasMessage && bytes[fieldFrom] === 0x6d && bytes[fieldFrom + 1] === 0x3a;
      let fieldTo = isMessage ? endOfMessage(bytes, fieldFrom, to) : fieldFrom;
      while (fieldTo < to && bytes[fieldTo] !== 0x7c) fieldTo++;
      if (bytes[fieldFrom] === 0x23) {
        const sent = splitTags(bytes.subarray(fieldFrom + 1, fieldTo));
        this.tags = sent.filter((tag) => Buffer.byteLength(tag) <= limits.tagBytes).slice(0, limits.tags);
        if (this.tags.length < sent.length) onBadField();
      } else if (bytes[fieldFrom] === 0x64 && bytes[fieldFrom + 1] === 0x3a) {
        const seconds = parseInteger(bytes, fieldFrom + 2, fieldTo);
        if (seconds < 0) onBadField();
        else this.timestampMs = seconds * 1000;
      } else {
        this.#fields.push(text(bytes, fieldFrom, fieldTo));
      }
      fieldFrom = fieldTo + 1;
    }
  }

  /** Returns the text after a prefix such as `h:`; the last field with that prefix counts. */
  get(prefix: string): string | undefined {
    return this.#fields.findLast((field) => field.startsWith(prefix))?.slice(prefix.length);
  }
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}
