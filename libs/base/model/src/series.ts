import * as crypto from 'node:crypto';
import { ByteWriter } from '@tidemark/bytes';
import { limitError, type TidemarkError } from '@tidemark/ports';
import { DEFAULT_POINT_LIMITS, type PointLimits } from './point-limits.ts';
import { isSeriesClass, type SeriesClass } from './series-class.ts';

export const ID_BYTES = 16;
/** First bytes of what is hashed: they are the versions of the two rules, and keep series and metrics apart. */
const SERIES_VERSION = 3;
const METRIC_VERSION = 2;

/** A series as its owner names it; `tags` are sorted bytewise and distinct. */
export interface SeriesName {
  readonly tenant: string;
  readonly metric: string;
  readonly seriesClass: SeriesClass;
  readonly tags: readonly string[];
}

/**
 * Checks a name and brings its tags into canonical order: sorted by UTF-8 bytes, duplicates dropped. Throws
 * `invalid_argument` with `reason`, `field` and `limit` in its detail when a part breaks a limit.
 */
export function seriesName(
  tenant: string,
  metric: string,
  seriesClass: SeriesClass,
  tags: readonly string[],
  limits: PointLimits = DEFAULT_POINT_LIMITS,
): SeriesName {
  checkText('tenant', tenant, limits.tenantBytes);
  const metricBytes = checkText('metric', metric, limits.metricBytes);
  if (!isSeriesClass(seriesClass))
    throw limitError('class', `unknown class ${seriesClass}`, 'reading, count or distribution', 'class_unknown');
  const sorted = canonicalTags(tags);
  if (sorted.length > limits.tags) {
    throw limitError('tags', `${sorted.length} tags on ${metric}`, `${limits.tags} tags`, 'too_many_tags');
  }
  let sizeBytes = metricBytes;
  for (const tag of sorted) sizeBytes += checkTag(tag, limits.tagBytes);
  if (sizeBytes > limits.seriesBytes) {
    const found = `${sizeBytes} bytes of ${metric} and its tags`;
    throw limitError('tags', found, `${limits.seriesBytes} bytes`, 'series_too_long');
  }
  return { tenant, metric, seriesClass, tags: sorted };
}

function canonicalTags(tags: readonly string[]): readonly string[] {
  // A copy: a sender may use its array again.
  if (isCanonical(tags)) return tags.slice();
  // Code-unit order differs from UTF-8 order only where surrogates are involved; the default sort is then not enough.
  const ascii = tags.every((tag) => isAscii(tag));
  const sorted = ascii ? [...tags].sort() : [...tags].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sorted.filter((tag, i) => i === 0 || tag !== sorted[i - 1]);
}

/** Returns whether tags are known to be sorted and distinct: most senders send them so. Of tags that are not ASCII it is not known. */
function isCanonical(tags: readonly string[]): boolean {
  for (let i = 0; i < tags.length; i++) {
    if (!isAscii(tags[i]) || (i > 0 && tags[i - 1] >= tags[i])) return false;
  }
  return true;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** Size of a text in UTF-8, in bytes: for a short one in ASCII, counting is faster than a call of the runtime. */
function utf8Bytes(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text);
}

/** Checks a tag and returns its size in bytes. It may have any characters: a statement of SQL, an annotation. */
function checkTag(tag: string, limitBytes: number): number {
  const size = checkSize('tag', tag, limitBytes);
  // In ASCII each character is a byte.
  if (size > tag.length && !tag.isWellFormed()) throw notUtf8('tag');
  return size;
}

/** Checks the name of a tenant or metric and returns its size in bytes. */
function checkText(field: 'tenant' | 'metric', text: string, limitBytes: number): number {
  const size = checkSize(field, text, limitBytes);
  if (!text.isWellFormed() || text.includes('\ufffd')) throw notUtf8(field);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x20) {
      throw refused(field, 'no control characters', `${field}_control_character`);
    }
  }
  return size;
}

function checkSize(field: string, text: string, limitBytes: number): number {
  if (text.length === 0) throw refused(field, 'at least 1 byte', `${field}_empty`);
  const size = utf8Bytes(text);
  if (size <= limitBytes) return size;
  throw limitError(field, `${size} bytes: ${text.slice(0, 40)}…`, `${limitBytes} bytes`, `${field}_too_long`);
}

function notUtf8(field: string): TidemarkError {
  return refused(field, 'valid UTF-8', `${field}_not_utf8`);
}

/** The text of an answer to a protocol, which counts refusals by reason, is the same. */
function refused(field: string, limit: string, reason: string): TidemarkError {
  return limitError(field, reason, limit, reason);
}

/** Bytes of a metric's name and its tags, in UTF-8. */
export function nameBytes({ metric, tags }: Pick<SeriesName, 'metric' | 'tags'>): number {
  let sizeBytes = utf8Bytes(metric);
  for (const tag of tags) sizeBytes += utf8Bytes(tag);
  return sizeBytes;
}

/** The canonical bytes of a series, whose hash is its id (docs/formats/series-id.md). */
export function canonicalBytes(name: SeriesName): Buffer {
  scratch.reset();
  scratch.u8(SERIES_VERSION);
  scratch.text(name.tenant);
  scratch.text(name.metric);
  scratch.u8(name.seriesClass);
  scratch.varint(name.tags.length);
  for (const tag of name.tags) scratch.text(tag);
  return scratch.view();
}

const scratch = new ByteWriter(1024);

/** The first 128 bits of SHA-256 over the canonical bytes. */
export function seriesId(name: SeriesName): Buffer {
  return hash128(canonicalBytes(name));
}

/** The id of a metric within its tenant: the first 128 bits of SHA-256 over both names. */
export function metricId(tenant: string, metric: string): Buffer {
  scratch.reset();
  scratch.u8(METRIC_VERSION);
  scratch.text(tenant);
  scratch.text(metric);
  return hash128(scratch.view());
}

/** The first 128 bits of SHA-256. */
export function hash128(bytes: Uint8Array): Buffer {
  const id = Buffer.alloc(ID_BYTES);
  const digest = sha256(bytes);
  for (let i = 0; i < ID_BYTES; i++) id[i] = digest.charCodeAt(i);
  return id;
}

/** The digest as characters of one byte each: as an object of bytes it would cost three times as much. */
function sha256(bytes: Uint8Array): string {
  // Clients may run on versions of Node without the function.
  return crypto.hash === undefined
    ? crypto.createHash('sha256').update(bytes).digest('binary')
    : crypto.hash('sha256', bytes, 'binary');
}
