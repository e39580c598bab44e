import { createHash } from 'node:crypto';
import type { Random } from '@tidemark/ports';

const KEY_BYTES = 24;
const PREFIX = 'tdm_';

/** A new key of 192 random bits. It is shown once. */
export function newApiKey(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(KEY_BYTES)).toString('base64url');
}

/** The stored hash of a key. Keys are random, so a plain hash is safe against a search. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
