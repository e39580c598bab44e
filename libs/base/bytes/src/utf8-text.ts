import { isUtf8 } from 'node:buffer';

const REPLACEMENT = '\ufffd';
const UNPAIRED = '\ud800';

/**
 * Decodes UTF-8. For bytes that are not UTF-8 the text is not well-formed, so that it is refused like any other such
 * text. A U+FFFD in the text was sent as such.
 */
export function utf8Text(bytes: Uint8Array): string {
  return utf8TextIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
}

/** Decodes the bytes [start, end) of a buffer as `utf8Text` does, without a view of them. */
export function utf8TextIn(buffer: Buffer, start: number, end: number): string {
  const text = buffer.toString('utf8', start, end);
  const isWrong = text.includes(REPLACEMENT) && !isUtf8(buffer.subarray(start, end));
  return isWrong ? text.replaceAll(REPLACEMENT, UNPAIRED) : text;
}
