import { isUtf8 } from 'node:buffer';

const REPLACEMENT = '\ufffd';
const UNPAIRED = '\ud800';

/**
 * Decodes UTF-8. For bytes that are not UTF-8 the text is not well-formed, so that it is refused like any other such
 * text. A U+FFFD in the text was sent as such.
 */
export function utf8Text(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.includes(REPLACEMENT) && !isUtf8(bytes) ? text.replaceAll(REPLACEMENT, UNPAIRED) : text;
}
