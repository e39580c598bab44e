import { ID_BYTES } from '@tidemark/model';
import type { Random } from '@tidemark/ports';

/** A new session id: 16 random bytes. */
export function randomSession(random: Random): Uint8Array {
  return random.bytes(ID_BYTES);
}
