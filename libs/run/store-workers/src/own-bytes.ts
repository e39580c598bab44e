/**
 * Returns the bytes in a buffer of their own, which can be transferred to another thread instead of copied. A view of a
 * larger buffer is copied: it may be a slice of Node's pool, and a transfer moves the whole buffer.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || bytes.byteLength === 0 || bytes.byteLength < buffer.byteLength) {
    return new Uint8Array(bytes);
  }
  return new Uint8Array(buffer);
}
