import { DocumentFields, damagedDocument, parseJson } from '@tidemark/documents';
import { jsonBytes } from './removal-marks.ts';
import { TEXT_CHARACTERS } from './snapshot-manifest.ts';
import { RANDOM_ID, SNAPSHOT_ID } from './snapshot-place.ts';

export const PIN_VERSION = 1;
/** Max bytes of a pin, and of its renewal. */
const PIN_BYTES = 4096;
const PIN_FIELDS = new Set(['format', 'id', 'snapshot', 'by']);
const RENEWAL_FIELDS = new Set(['format', 'id', 'expiresMs', 'revoked']);

/** What an upload or a reader relies on. It never changes. docs/formats/snapshot.md has its form. */
export interface PinDocument {
  /** Of the pin, and of the upload. */
  readonly id: string;
  /** The snapshot whose files are used; an upload may have none. */
  readonly snapshot?: string;
  readonly by: string;
}

/** How long a pin protects something. */
export interface PinRenewal {
  readonly id: string;
  /** Wall clock after which a collection may revoke the pin, ms since the Unix epoch. */
  readonly expiresMs: number;
  /** True when a collection has revoked it: it protects nothing any more. */
  readonly isRevoked: boolean;
}

export function encodePin({ id, snapshot, by }: PinDocument): Uint8Array {
  return jsonBytes({ format: PIN_VERSION, id, snapshot, by });
}

export function encodeRenewal({ id, expiresMs, isRevoked }: PinRenewal): Uint8Array {
  return jsonBytes({ format: PIN_VERSION, id, expiresMs, revoked: isRevoked });
}

/** Parses the pin at `key`. Everything else is `data_loss` with key, field, value and limit. */
export function parsePin(bytes: Uint8Array, key: string, id: string): PinDocument {
  const fields = fieldsOf(bytes, key, id, PIN_FIELDS);
  return {
    id,
    ...(fields.has('snapshot') && { snapshot: fields.text('snapshot', SNAPSHOT_ID, 'the id of a snapshot') }),
    by: fields.shortText('by', TEXT_CHARACTERS),
  };
}

/** Parses the renewal at `key`. Everything else is `data_loss` with key, field, value and limit. */
export function parseRenewal(bytes: Uint8Array, key: string, id: string): PinRenewal {
  const fields = fieldsOf(bytes, key, id, RENEWAL_FIELDS);
  const expiresMs = fields.integer('expiresMs', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return { id, expiresMs, isRevoked: fields.flag('revoked') };
}

function fieldsOf(bytes: Uint8Array, key: string, id: string, known: ReadonlySet<string>): DocumentFields {
  if (bytes.length > PIN_BYTES) throw damagedDocument(key, '', `${bytes.length} bytes`, `${PIN_BYTES} bytes`);
  const fields = DocumentFields.of(key, '', parseJson(key, bytes), known);
  fields.integer('format', PIN_VERSION, PIN_VERSION);
  const found = fields.text('id', RANDOM_ID, '16 hexadecimal digits');
  if (found !== id) throw fields.refused('id', `${id}, which its key has`);
  return fields;
}
