import { DocumentFields, damagedDocument, parseJson } from './document-fields.ts';
import { jsonBytes } from './removal-marks.ts';
import { TEXT_CHARACTERS } from './snapshot-manifest.ts';
import { RANDOM_ID, SNAPSHOT_ID } from './snapshot-place.ts';

export const PIN_VERSION = 1;
/** Max bytes of a pin. */
const PIN_BYTES = 4096;
const FIELDS = new Set(['format', 'id', 'snapshot', 'by', 'expiresMs', 'revoked']);

/** What an upload or a reader relies on. docs/formats/snapshot.md has its form. */
export interface PinDocument {
  /** Of the pin, and of the upload. */
  readonly id: string;
  /** The snapshot whose files are used; an upload may have none. */
  readonly snapshot?: string;
  readonly by: string;
  /** Wall clock after which a collection may revoke it, ms since the Unix epoch. */
  readonly expiresMs: number;
  /** True when a collection has revoked it: it protects nothing any more. */
  readonly isRevoked: boolean;
}

export function encodePin({ id, snapshot, by, expiresMs, isRevoked }: PinDocument): Uint8Array {
  return jsonBytes({ format: PIN_VERSION, id, snapshot, by, expiresMs, revoked: isRevoked ? 1 : 0 });
}

/** Parses the pin at `key`. Everything else is `data_loss` with key, field, value and limit. */
export function parsePin(bytes: Uint8Array, key: string, id: string): PinDocument {
  if (bytes.length > PIN_BYTES) throw damagedDocument(key, '', `${bytes.length} bytes`, `${PIN_BYTES} bytes`);
  const fields = DocumentFields.of(key, '', parseJson(key, bytes), FIELDS);
  fields.integer('format', PIN_VERSION, PIN_VERSION);
  const pin = {
    id: fields.text('id', RANDOM_ID, '16 hexadecimal digits'),
    ...(fields.has('snapshot') && { snapshot: fields.text('snapshot', SNAPSHOT_ID, 'the id of a snapshot') }),
    by: fields.shortText('by', TEXT_CHARACTERS),
    expiresMs: fields.integer('expiresMs', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    isRevoked: fields.integer('revoked', 0, 1) === 1,
  };
  if (pin.id !== id) throw fields.refused('id', `${id}, which its key has`);
  return pin;
}
