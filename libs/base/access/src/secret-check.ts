import { createHash, timingSafeEqual } from 'node:crypto';

/** A check whether a text is `secret`. Its duration does not depend on the secret. */
export function secretCheck(secret: string): (shown: string) => boolean {
  const expected = digest(secret);
  return (shown) => timingSafeEqual(digest(shown), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
