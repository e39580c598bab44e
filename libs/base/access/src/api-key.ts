import { createHash } from 'node:crypto';
import type { Random } from '@tidemark/ports';

const KEY_BYTES = 24;
const PREFIX = 'tdm_';

/** A new key, shown once; 192 random bits. */
export function newApiKey(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(KEY_BYTES)).toString('base64url');
}

/** What is stored of a key. Keys are random, so a plain hash can't be searched for. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
