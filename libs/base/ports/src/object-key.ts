import { TidemarkError } from './error.ts';
import { limitError } from './limit-error.ts';

/** Max characters of a key. S3 takes 1,024 bytes, of which some are the prefix of the deployment. */
export const OBJECT_KEY_CHARACTERS = 512;
/** Max characters between two slashes; file systems take 255 bytes. */
const PART_CHARACTERS = 128;

const FOLDER = /^[a-z0-9_][a-z0-9_-]*$/;
const NAME = /^[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_-]+)+$/;
const PREFIX = /^([a-z0-9_][a-z0-9_-]*\/)*[a-z0-9._-]*$/;
const RULE = `a-z, 0-9, "_" and "-", parts divided by "/", "." in the last part only, and there at least one; ${PART_CHARACTERS} characters a part, ${OBJECT_KEY_CHARACTERS} in all`;

/**
 * True for a key such as `points-3/000017.sst`. The last part has a dot and no other part has one, so that no key is the
 * folder of another: a file system, and servers that keep objects in one, can't have both. There are no capital letters,
 * because some file systems take `A` and `a` for the same name.
 */
export function isObjectKey(key: string): boolean {
  if (key.length > OBJECT_KEY_CHARACTERS) return false;
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  if (!NAME.test(name) || name.length > PART_CHARACTERS) return false;
  return parts.every((part) => part.length <= PART_CHARACTERS && FOLDER.test(part));
}

/** Throws `invalid_argument` for a text that is not a key; see `isObjectKey`. */
export function checkObjectKey(key: string): void {
  if (isObjectKey(key)) return;
  const shown = key.length > OBJECT_KEY_CHARACTERS ? `${key.length} characters` : JSON.stringify(key);
  throw new TidemarkError('invalid_argument', `object key: ${shown} (limit: ${RULE})`, { field: 'key', limit: RULE });
}

/** Throws `invalid_argument` for a text with which no key can begin. The empty prefix is that of all keys. */
export function checkObjectPrefix(prefix: string): void {
  if (prefix.length <= OBJECT_KEY_CHARACTERS && PREFIX.test(prefix)) return;
  throw limitError('object prefix', JSON.stringify(prefix.slice(0, OBJECT_KEY_CHARACTERS)), 'the beginning of a key');
}
