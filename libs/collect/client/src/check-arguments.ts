import { DEFAULT_POINT_LIMITS, INTERVAL_LIMIT_MS, KIND, type KindName } from '@tidemark/model';
import { type ErrorDetail, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** Tags of one call, duplicates included. */
export const MAX_GIVEN_TAGS = 1000;
const SHOWN_CHARACTERS = 40;
/** The reason of arguments whose own code throws, such as a getter. */
const UNREADABLE = 'arguments_unreadable';

/** The parts of a series' name, of the right types and not absurdly long. */
export interface GivenSeries {
  readonly metric: string;
  readonly kind: KindName;
  /** A copy: what the caller's array has may change between two reads. */
  readonly tags: readonly string[];
}

/**
 * Checks the types of a series' parts, as a program without types may pass them. Limits in bytes are left to
 * `seriesName`. Errors: `invalid_argument` with `reason`, `field` and `limit` in its detail. hostile-arguments.test.ts
 * covers this file.
 */
export function checkSeries(metric: unknown, kind: unknown, tags: unknown): GivenSeries {
  if (typeof kind !== 'string' || !isKindName(kind)) {
    throw refused('kind_unknown', 'kind', 'gauge, count, counter, reading or distribution', describe(kind));
  }
  if (!Array.isArray(tags)) throw refused('tags_type', 'tags', 'an array of strings', describe(tags));
  const { length } = tags;
  if (length > MAX_GIVEN_TAGS) throw refused('too_many_tags', 'tags', `${MAX_GIVEN_TAGS} tags`, `${length} tags`);
  const { metricBytes, tagBytes } = DEFAULT_POINT_LIMITS;
  const copy = Array.from({ length }, (_, i) => checkText('tag', tags[i], tagBytes));
  return { metric: checkText('metric', metric, metricBytes), kind, tags: copy };
}

function isKindName(name: string): name is KindName {
  // A rate is a count whose values were divided: a client of this library sends the count.
  return Object.hasOwn(KIND, name) && name !== 'rate';
}

function checkText(field: 'metric' | 'tag', text: unknown, limitBytes: number): string {
  if (typeof text !== 'string') throw refused(`${field}_type`, field, 'a string', describe(text));
  // Each code unit has at least one byte. A text of megabytes is not scanned any further.
  if (text.length > limitBytes) throw refused(`${field}_too_long`, field, `${limitBytes} bytes`, describe(text));
  return text;
}

/**
 * Returns a stated reporting interval in whole ms; undefined where none is given. Errors: `invalid_argument`, as of
 * `checkSeries`.
 */
export function checkInterval(intervalMs: unknown): number | undefined {
  if (intervalMs === undefined) return undefined;
  const limit = `1 to ${INTERVAL_LIMIT_MS} ms`;
  if (typeof intervalMs !== 'number') throw refused('interval_type', 'intervalMs', limit, describe(intervalMs));
  if (intervalMs >= 1 && intervalMs <= INTERVAL_LIMIT_MS) return Math.round(intervalMs);
  throw refused('interval_invalid', 'intervalMs', limit, describe(intervalMs));
}

/** The error of an argument that cannot be used. */
export function refused(reason: string, field: string, limit: string, found: string): TidemarkError {
  return new TidemarkError('invalid_argument', `${field}: ${found} (limit: ${limit})`, { reason, field, limit });
}

/** A short text for any value. It never throws and calls no code of the value. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > SHOWN_CHARACTERS
        ? `${value.length} characters: ${value.slice(0, SHOWN_CHARACTERS)}…`
        : `"${value}"`;
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : 'an object';
    default:
      return `a ${typeof value}`;
  }
}

/** The message of a thrown value. It never throws, for any value. */
export function describeThrown(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${String(thrown.message).slice(0, 1000)}` : describe(thrown);
  } catch {
    return 'an exception that cannot be read';
  }
}

/** Where arguments could not be used, and what the limit is. */
export interface ArgumentRefusal {
  readonly reason: string;
  readonly field: string;
  readonly limit: string;
  readonly message: string;
}

/** The refusal that a thrown value stands for: of a check, or of code of the arguments, such as a getter. */
export function refusalOfThrown(thrown: unknown): ArgumentRefusal {
  try {
    if (isTidemarkError(thrown)) return { ...refusalOfDetail(thrown.code, thrown.detail), message: thrown.message };
  } catch {
    // A proxy that refuses `instanceof`.
  }
  const limit = 'arguments that can be read';
  const message = `arguments: ${describeThrown(thrown)} (limit: ${limit})`;
  return { reason: UNREADABLE, field: 'arguments', limit, message };
}

function refusalOfDetail(code: string, { reason = code, field = '', limit = '' }: ErrorDetail) {
  return { reason: String(reason), field: String(field), limit: String(limit) };
}

/** The error of a method that may throw: what was thrown, if that says what is wrong, else `invalid_argument`. */
export function argumentError(thrown: unknown): TidemarkError {
  const { reason, field, limit, message } = refusalOfThrown(thrown);
  if (reason !== UNREADABLE) return thrown as TidemarkError;
  return new TidemarkError('invalid_argument', message, { reason, field, limit });
}

/** True for the reasons of arguments that a typed program cannot pass. */
export function isTypeReason(reason: string): boolean {
  return reason === UNREADABLE || reason.endsWith('_type');
}
