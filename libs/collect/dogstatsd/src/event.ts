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

const PRIORITIES = ['normal', 'low'] as const;
const ALERT_TYPES = ['info', 'success', 'warning', 'error'] as const;

/** Parses the event in `bytes[from, to)`, which begins with `_e{`; undefined when it is malformed. */
export function parseEvent(bytes: Uint8Array, from: number, to: number, limits: PointLimits): StatsdEvent | undefined {
  const lengthsFrom = from + 3;
  const comma = bytes.indexOf(0x2c, lengthsFrom);
  const brace = bytes.indexOf(0x7d, lengthsFrom);
  if (comma < 0 || brace < comma || brace >= to || bytes[brace + 1] !== 0x3a) return undefined;
  const titleBytes = parseInteger(bytes, lengthsFrom, comma);
  const textBytes = parseInteger(bytes, comma + 1, brace);
  const titleFrom = brace + 2;
  const titleTo = titleFrom + titleBytes;
  const textTo = titleTo + 1 + textBytes;
  if (titleBytes <= 0 || textBytes < 0 || textTo > to || bytes[titleTo] !== 0x7c) return undefined;
  if (textTo < to && bytes[textTo] !== 0x7c) return undefined;
  if (!isUtf8(bytes.subarray(from, to))) return undefined;
  const fields = new Fields(bytes, textTo + 1, to, limits);
  if (fields.malformed) return undefined;
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

function oneOf<T extends string>(values: readonly T[], value: string | undefined): T {
  return values.find((known) => known === value) ?? values[0];
}

/** The optional fields that events and service checks share. */
export class Fields {
  readonly tags: readonly string[] = [];
  readonly timestampMs: number | undefined = undefined;
  readonly malformed: boolean = false;
  readonly #fields: string[] = [];

  /** `messageLast` ends the split at `m:`, whose text may hold `|`. The bytes must be UTF-8. */
  constructor(bytes: Uint8Array, from: number, to: number, limits: PointLimits, messageLast = false) {
    for (let fieldFrom = from; fieldFrom < to; ) {
      const isMessage = messageLast && bytes[fieldFrom] === 0x6d && bytes[fieldFrom + 1] === 0x3a;
      let fieldTo = isMessage ? to : fieldFrom;
      while (fieldTo < to && bytes[fieldTo] !== 0x7c) fieldTo++;
      if (bytes[fieldFrom] === 0x23) {
        this.tags = splitTags(bytes.subarray(fieldFrom + 1, fieldTo));
        if (this.tags.length > limits.tags) this.malformed = true;
        if (this.tags.some((tag) => Buffer.byteLength(tag) > limits.tagBytes)) this.malformed = true;
      } else if (bytes[fieldFrom] === 0x64 && bytes[fieldFrom + 1] === 0x3a) {
        const seconds = parseInteger(bytes, fieldFrom + 2, fieldTo);
        if (seconds < 0) this.malformed = true;
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
