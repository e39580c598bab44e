import { createHash } from 'node:crypto';
import { TidemarkError } from '@tidemark/ports';
import { DocumentFields, damagedDocument, parseJson } from './document-fields.ts';

/** The end of a document: the SHA-256 of all bytes before it. */
const END = /^,"sha256":"([0-9a-f]{64})"\}\n$/;
const END_BYTES = 78;

/** What is known of the documents of one kind. */
export interface ClosedForm {
  /** Version of the format, the value of the first field, `format`. */
  readonly version: number;
  /** Max bytes. */
  readonly bytes: number;
  /** All fields, without `format` and `sha256`. */
  readonly fields: readonly string[];
}

/**
 * A JSON object that begins with its `format` and ends with its `sha256`, in UTF-8, with a line feed; equal values have equal bytes.
 * Fields that are undefined are left out.
 */
export function encodeClosed({ version }: ClosedForm, value: Readonly<Record<string, unknown>>): Uint8Array {
  return closed(Buffer.from(JSON.stringify({ format: version, ...value }).slice(0, -1)));
}

/** Closes a document again whose bytes before the end were changed: for tests. */
export function resealed(bytes: Uint8Array): Buffer {
  return closed(bytes.subarray(0, Math.max(0, bytes.length - END_BYTES)));
}

function closed(body: Uint8Array): Buffer {
  return Buffer.concat([body, Buffer.from(`,"sha256":"${sha256Of(body)}"}\n`)]);
}

/**
 * The fields of a document at `key`. It compares the checksum before anything else, so that a damaged number is not taken for a newer
 * format. Errors: `data_loss` with key, field, value and limit; `failed_precondition` with the reason `newer` for a later format.
 */
export function parseClosed(bytes: Uint8Array, key: string, form: ClosedForm): DocumentFields {
  if (bytes.length > form.bytes) throw tooLarge(key, bytes.length, form);
  const body = bytes.subarray(0, Math.max(0, bytes.length - END_BYTES));
  const end = END.exec(Buffer.from(bytes.subarray(body.length)).toString('latin1'));
  if (end === null) throw damagedDocument(key, 'sha256', 'no such end', 'the document ends with its SHA-256');
  const found = sha256Of(body);
  if (end[1] !== found) throw damagedDocument(key, 'sha256', end[1], `${found}, of the bytes before it`);
  const value = parseJson(key, bytes);
  const format = (value as { format?: unknown } | null)?.format;
  if (Number.isSafeInteger(format) && (format as number) > form.version) {
    const message = `object ${key}, format: ${format} (limit: ${form.version}); it was made by a newer program: update this one`;
    throw new TidemarkError('failed_precondition', message, { reason: 'newer', key, field: 'format' });
  }
  const fields = DocumentFields.of(key, '', value, new Set(['format', ...form.fields, 'sha256']));
  fields.integer('format', form.version, form.version);
  return fields;
}

/** The error for a document of more bytes than the limit. */
export function tooLarge(key: string, sizeBytes: number, { bytes }: Pick<ClosedForm, 'bytes'>): TidemarkError {
  return damagedDocument(key, '', `${sizeBytes} bytes`, `${bytes} bytes`);
}

/** SHA-256 in lower-case hexadecimal digits. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
